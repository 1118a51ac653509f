#include "db/connection.h"

#include <sqlite3.h>

#include <cerrno>

#include "db/file_system.h"

namespace nightshift::db {

namespace {

/// Readers wait this long for a lock; the writer never does, because a busy writer is a second daemon.
constexpr int kReaderBusyMs = 5000;
/// Copies of one statement kept for users that overlap, like the merged runs of a page.
constexpr std::size_t kIdleCopiesMax = 64;

/// SQLite counts its memory under a lock, twice for each piece. Nobody reads that here.
void stop_counting_memory() {
    static const int once = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    static_cast<void>(once);
}

/// Keeps the size of the log where its commit left it. SQLite calls this after each commit.
int note_wal_pages(void* pages, sqlite3*, const char*, int count) {
    *static_cast<std::int64_t*>(pages) = count;
    return SQLITE_OK;
}

Error disk_low() {
    return {ErrorCode::kExhausted, "disk_low", "The disk has no room left for the database.",
            "Free some space on the disk of the data folder and try again; nothing stored was lost.", ""};
}

Error disk_read_only() {
    return {ErrorCode::kUnavailable, "disk_read_only",
            "The disk of the data folder has become read-only; nothing stored was lost.",
            "Look at `dmesg` for errors of the disk, mount it writable again (mount -o remount,rw), then try "
            "again.",
            ""};
}

/// errno of the failure. SQLite's own answer is the errno of this moment, which unlocking after the failure
/// may have changed; the file that failed remembers its own.
int system_error(sqlite3* handle) {
    int code = 0;
    sqlite3_file* log = nullptr;
    if (sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) == SQLITE_OK &&
        log != nullptr && log->pMethods != nullptr) {
        log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &code);
    }
    if (code == 0) sqlite3_file_control(handle, "main", SQLITE_FCNTL_LAST_ERRNO, &code);
    return code != 0 ? code : sqlite3_system_errno(handle);
}

}  // namespace

Error Connection::last_error(int code) const {
    const std::string text = handle_ != nullptr ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
    switch (code & 0xff) {
        case SQLITE_FULL:
            return disk_low();
        case SQLITE_IOERR: {
            const int os_error = handle_ != nullptr ? system_error(handle_) : 0;
            // EFBIG: a limit on file sizes (ulimit -f) leaves no more room than a full disk does.
            if (os_error == ENOSPC || os_error == EDQUOT || os_error == EFBIG) return disk_low();
            if (os_error == EROFS) return disk_read_only();
            return {ErrorCode::kUnavailable, "disk_error",
                    "The database could not be read or written: " + text + ".",
                    "Check the disk of the data folder.", ""};
        }
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return {ErrorCode::kUnavailable, "database_busy",
                    "Another program holds the database: " + text + ".",
                    "Close programs that opened nightshift.db and try again.", ""};
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return {ErrorCode::kCorrupt, "database_damaged", "The database is damaged: " + text + ".",
                    "Restore nightshift.db from backup/ or move it away to start with an empty queue.", ""};
        case SQLITE_CONSTRAINT:
            if (text.find("illegal_transition") != std::string::npos ||
                text.find("job_end_is_final") != std::string::npos) {
                return {ErrorCode::kConflict, "state_conflict",
                        "The job is in a state that does not allow this.",
                        "Look at the job again and repeat what still makes sense.", ""};
            }
            return {ErrorCode::kConflict, "constraint", "The database refused the change: " + text + ".", "",
                    ""};
        case SQLITE_READONLY:
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
            return {ErrorCode::kUnavailable, "database_unreadable",
                    "The database cannot be opened: " + text + ".",
                    "Check that the data folder belongs to you and can be written.", ""};
        default:
            return {ErrorCode::kInternal, "database_error", "SQLite said: " + text + ".", "", ""};
    }
}

Result<std::unique_ptr<Connection>> Connection::open(const std::string& path, Mode mode) {
    if (mode == Mode::kWriter && is_on_network_file_system(path)) {
        return Error{
            ErrorCode::kUnsupported, "network_file_system",
            "The data folder is on a network file system, where SQLite cannot share memory: " + path + ".",
            "Use a folder on a local disk: nightshiftd --data DIR.", ""};
    }
    stop_counting_memory();
    sqlite3* handle = nullptr;
    const int flags = mode == Mode::kWriter ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                                            : SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
    const int code = sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
    std::unique_ptr<Connection> connection(new Connection(handle));
    if (code != SQLITE_OK) return connection->last_error(code);
    sqlite3_extended_result_codes(handle, 1);
    NIGHTSHIFT_TRY(connection->set_up(path, mode));
    return connection;
}

Status Connection::set_up(const std::string& path, Mode mode) {
    // Somebody who only reads may be repairing the log of a daemon that was killed: that is soon over.
    sqlite3_busy_timeout(handle_, kReaderBusyMs);
    NIGHTSHIFT_TRY(exec("PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"));
    if (mode == Mode::kReader) return exec("PRAGMA query_only = ON; PRAGMA cache_size = -2000;");
    const auto app = scalar("PRAGMA application_id");
    if (!app) return app.error();
    const auto tables = scalar("SELECT COUNT(*) FROM sqlite_schema");
    if (!tables) return tables.error();
    if (*tables == 0) {
        NIGHTSHIFT_TRY(exec("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = 1853056628;"));
    } else if (*app != kApplicationId) {
        return Error{ErrorCode::kConflict, "not_our_file", path + " is a SQLite file of another program.",
                     "Choose another data folder.", ""};
    }
    // The writer moves WAL pages itself, between transactions, so no commit pays for it by surprise.
    NIGHTSHIFT_TRY(
        exec("PRAGMA journal_mode = WAL;"
             "PRAGMA synchronous = FULL;"
             "PRAGMA wal_autocheckpoint = 0;"
             "PRAGMA journal_size_limit = 67108864;"
             "PRAGMA temp_store = MEMORY;"
             "PRAGMA cache_size = -8000;"));
    // From here on nobody else writes: being made to wait would be a mistake of ours.
    sqlite3_busy_timeout(handle_, 0);
    sqlite3_wal_hook(handle_, note_wal_pages, &wal_pages_);
    return {};
}

Connection::~Connection() {
    for (const auto& [literal, statement] : idle_) sqlite3_finalize(statement);
    sqlite3_close_v2(handle_);
}

Status Connection::exec(const char* sql) {
    const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return last_error(code);
    return {};
}

Result<std::int64_t> Connection::scalar(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    int code = sqlite3_prepare_v2(handle_, sql, -1, &statement, nullptr);
    if (code != SQLITE_OK) return last_error(code);
    code = sqlite3_step(statement);
    const std::int64_t value = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_finalize(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE) return last_error(code);
    return value;
}

void Connection::remember_files(const std::string& path) {
    path_ = path;
    file_ = identity_of(path);
    log_ = identity_of(path + "-wal");
}

Status Connection::check_files() {
    if (path_.empty()) return {};
    if (!log_) log_ = identity_of(path_ + "-wal");  // made by the first commit
    const bool is_file_gone = identity_of(path_) != file_;
    const bool is_log_gone = log_ && identity_of(path_ + "-wal") != log_;
    if (!is_file_gone && !is_log_gone) return {};
    if (!is_file_gone && !in_transaction()) {
        static_cast<void>(
            sqlite3_wal_checkpoint_v2(handle_, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr));
    }
    const std::string name = is_file_gone ? path_ : path_ + "-wal";
    return Error{ErrorCode::kUnavailable, "database_replaced",
                 name + " was deleted or replaced while nightshiftd was using it; nothing more is stored.",
                 is_file_gone
                     ? "Put the file back, or stop nightshiftd and restore a backup "
                       "(`nightshift restore FILE`). Jobs that run go on."
                     : "Restart nightshiftd: what it had acknowledged is in nightshift.db. Jobs that "
                       "run go on.",
                 ""};
}

bool Connection::in_transaction() const {
    return sqlite3_get_autocommit(handle_) == 0;
}
std::int64_t Connection::last_insert_id() const {
    return sqlite3_last_insert_rowid(handle_);
}
int Connection::changes() const {
    return sqlite3_changes(handle_);
}
std::int64_t Connection::changes_total() const {
    return sqlite3_total_changes64(handle_);
}

std::vector<const char*> Connection::prepared() const {
    std::vector<const char*> literals;
    for (const auto& [literal, statement] : idle_) literals.push_back(literal);
    return literals;
}

Status Connection::move_wal_pages() {
    int pages = 0;
    int moved = 0;
    const int code = sqlite3_wal_checkpoint_v2(handle_, nullptr, SQLITE_CHECKPOINT_PASSIVE, &pages, &moved);
    if (code == SQLITE_BUSY) return {};  // a reader is copying it; the next time does more
    if (code != SQLITE_OK) return last_error(code);
    // Whole: the next commit begins the log anew.
    if (moved >= pages) wal_pages_ = 0;
    return {};
}

Result<sqlite3_stmt*> Connection::check_out(const char* literal) {
    if (const auto found = idle_.find(literal); found != idle_.end()) {
        sqlite3_stmt* statement = found->second;
        idle_.erase(found);
        return statement;
    }
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(handle_, literal, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) return last_error(code);
    return statement;
}

void Connection::check_in(const char* literal, sqlite3_stmt* statement) {
    ++work_.statements;
    work_.vm_steps += sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 1);
    work_.full_scan_steps += sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_FULLSCAN_STEP, 1);
    work_.sorts += sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_SORT, 1);
    if (idle_.count(literal) >= kIdleCopiesMax) {
        sqlite3_finalize(statement);
        return;
    }
    idle_.emplace(literal, statement);
}

}  // namespace nightshift::db
