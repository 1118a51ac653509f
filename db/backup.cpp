#include "db/backup.h"

#include <sqlite3.h>

#include <cstdio>
#include <string>

#include "db/connection.h"
#include "db/migrate.h"
#include "db/self_check.h"
#include "db/statement.h"

namespace nightshift::db {

namespace {

Error damaged(const std::string& path, const std::string& why) {
    return {ErrorCode::kCorrupt, "backup_damaged", path + " is not a whole database: " + why + ".",
            "Take another backup; `nightshift doctor --deep` looks at the database in use.", ""};
}

Status copy_pages(Connection& source, sqlite3* target) {
    // One read transaction: the copy is of one moment, and writers do not make it start again.
    NIGHTSHIFT_TRY(source.exec("BEGIN"));
    const auto pinned = source.scalar("SELECT COUNT(*) FROM sqlite_schema");
    if (!pinned) return pinned.error();
    sqlite3_backup* copy = sqlite3_backup_init(target, "main", source.handle(), "main");
    if (copy == nullptr) return source.last_error(sqlite3_errcode(target));
    sqlite3_backup_step(copy, -1);
    const int code = sqlite3_backup_finish(copy);
    if (code == SQLITE_FULL) return source.last_error(SQLITE_FULL);
    if (code != SQLITE_OK) {
        return Error{ErrorCode::kUnavailable, "backup_failed",
                     std::string("The copy could not be written: ") + sqlite3_errmsg(target) + ".",
                     "Look at the disk of the data folder and try again.", ""};
    }
    // A single file: no log beside it that could be forgotten when it is carried away.
    if (sqlite3_exec(target, "PRAGMA journal_mode = DELETE", nullptr, nullptr, nullptr) != SQLITE_OK) {
        return source.last_error(sqlite3_errcode(target));
    }
    return {};
}

Status copy_to(const std::string& from, const std::string& to) {
    auto source = Connection::open(from, Connection::Mode::kReader);
    if (!source) return source.error();
    sqlite3* target = nullptr;
    const int code =
        sqlite3_open_v2(to.c_str(), &target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
    Status copied = code == SQLITE_OK ? copy_pages(**source, target) : (*source)->last_error(code);
    sqlite3_close(target);
    return copied;
}

}  // namespace

Status back_up(const std::string& from, const std::string& to) {
    Status done = copy_to(from, to);
    if (done) done = verify_backup(to);
    if (!done) std::remove(to.c_str());
    return done;
}

Status verify_backup(const std::string& path) {
    {
        auto connection = Connection::open(path, Connection::Mode::kReader);
        if (!connection) return connection.error();
        const auto app = (*connection)->scalar("PRAGMA application_id");
        if (!app && app.error().code == ErrorCode::kCorrupt) return damaged(path, app.error().message);
        if (!app) return app.error();
        if (*app != kApplicationId) {
            return Error{ErrorCode::kConflict, "not_our_file", path + " is not a database of nightshift.",
                         "Choose a file of the backup folder.", ""};
        }
        const auto version = (*connection)->scalar("PRAGMA user_version");
        if (!version) return version.error();
        if (*version > schema_version()) {
            return Error{ErrorCode::kConflict, "schema_newer", path + " was made by a newer nightshift.",
                         "Restore it with that version.", ""};
        }
    }
    const auto checks = check_database(path);
    if (!checks && checks.error().code == ErrorCode::kCorrupt) return damaged(path, checks.error().message);
    if (!checks) return checks.error();
    for (const CheckResult& check : *checks) {
        if (check.code == "file" && !check.broken.empty()) return damaged(path, check.broken.front());
    }
    return {};
}

Status reserve_job_ids(const std::string& path, std::int64_t job_id) {
    auto connection = Connection::open(path, Connection::Mode::kWriter);
    if (!connection) return connection.error();
    Statement raise(**connection, "UPDATE sqlite_sequence SET seq = MAX(seq, ?) WHERE name = 'job'", job_id);
    NIGHTSHIFT_TRY(raise.run());
    if ((*connection)->changes() != 0) return {};
    Statement first(**connection, "INSERT INTO sqlite_sequence (name, seq) VALUES ('job', ?)", job_id);
    return first.run();
}

}  // namespace nightshift::db
