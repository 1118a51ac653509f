#include "db/store.h"

#include <chrono>

#include "db/migrate.h"
#include "db/sqlite_store.h"
#include "scheduler/crash_point.h"

namespace nightshift::db {

Error no_such_job(JobId id) {
    return {ErrorCode::kNotFound, "no_such_job", "There is no job " + std::to_string(id.value) + ".",
            "`nightshift ls` shows the jobs there are.", ""};
}

Error state_conflict(JobId id, JobState state, const char* wanted) {
    return {
        ErrorCode::kConflict, "state_conflict",
        "Job " + std::to_string(id.value) + " is " + std::string(to_string(state)) + ", not " + wanted + ".",
        "Look at the job again and repeat what still makes sense.", ""};
}

Result<std::unique_ptr<Store>> Store::open(const std::string& path, const std::string& created_by) {
    auto connection = Connection::open(path, Connection::Mode::kWriter);
    if (!connection) return connection.error();
    NIGHTSHIFT_TRY(migrate(**connection, path));
    (*connection)->remember_files(path);
    auto store = std::make_unique<SqliteStore>(std::move(*connection));
    const auto known = store->setting("created_by");
    if (!known) return known.error();
    if (!*known) NIGHTSHIFT_TRY(store->set_setting("created_by", created_by));
    NIGHTSHIFT_TRY(store->connection().exec(
        "INSERT OR IGNORE INTO setting VALUES ('database_id', lower(hex(randomblob(16))))"));
    return std::unique_ptr<Store>(std::move(store));
}

Status SqliteStore::begin() {
    new_events_.clear();
    events_at_savepoints_.clear();
    NIGHTSHIFT_TRY(connection_->check_files());
    return connection_->exec("BEGIN IMMEDIATE");
}

Status SqliteStore::commit() {
    if (!in_transaction()) {
        return Error{ErrorCode::kUnavailable, "transaction_lost",
                     "The transaction was rolled back by the database.", "Try again.", ""};
    }
    crash_point("commit.begun");
    const auto from = std::chrono::steady_clock::now();
    if (Status done = connection_->exec("COMMIT"); !done) {
        rollback();
        return done;
    }
    crash_point("commit.done");
    // What went into a file without a name would be gone with this process: it is not acknowledged.
    if (Status in_place = connection_->check_files(); !in_place) {
        rollback();
        return in_place;
    }
    const auto took = std::chrono::steady_clock::now() - from;
    last_commit_ = Millis{std::chrono::duration_cast<std::chrono::milliseconds>(took).count()};
    return {};
}

void SqliteStore::rollback() {
    // Some failures (a full disk) have rolled back already.
    if (in_transaction()) static_cast<void>(connection_->exec("ROLLBACK"));
    new_events_.clear();
    events_at_savepoints_.clear();
    stats_.reset();
}

Status SqliteStore::savepoint() {
    // Prepared once: a batch opens and closes one for each of its lines.
    Statement open(*connection_, "SAVEPOINT mutation");
    NIGHTSHIFT_TRY(open.run());
    events_at_savepoints_.push_back(new_events_.size());
    return {};
}

void SqliteStore::rollback_to_savepoint() {
    if (in_transaction()) {
        static_cast<void>(connection_->exec("ROLLBACK TO mutation; RELEASE mutation"));
    }
    if (!events_at_savepoints_.empty()) {
        if (new_events_.size() > events_at_savepoints_.back())
            new_events_.resize(events_at_savepoints_.back());
        events_at_savepoints_.pop_back();
    }
    stats_.reset();
}

Status SqliteStore::release_savepoint() {
    Statement release(*connection_, "RELEASE mutation");
    NIGHTSHIFT_TRY(release.run());
    if (!events_at_savepoints_.empty()) events_at_savepoints_.pop_back();
    return {};
}

Status SqliteStore::checkpoint_wal() {
    crash_point("wal.before_checkpoint");
    // A reader in the middle of a query makes this do less, not fail.
    NIGHTSHIFT_TRY(connection_->move_wal_pages());
    crash_point("wal.checkpointed");
    return {};
}

}  // namespace nightshift::db
