#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "db/file_system.h"
#include "scheduler/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace nightshift::db {

/// "nsft": tells this program's files from other SQLite files.
inline constexpr int kApplicationId = 0x6e736674;

/// What the statements of a connection did so far, as SQLite counts it: unlike time, the same on every
/// machine.
struct Work {
    std::int64_t statements = 0;       ///< uses of a prepared statement
    std::int64_t vm_steps = 0;         ///< virtual machine instructions
    std::int64_t full_scan_steps = 0;  ///< rows stepped over without an index
    std::int64_t sorts = 0;            ///< results that had to be sorted
};

/// One connection with its prepared statements. Thread: the one that made it.
class Connection {
  public:
    enum class Mode { kWriter, kReader };

    /// A reader may be given SQLite's "file:" form. Fails: corrupt "database_damaged", exhausted "disk_low",
    /// unsupported "network_file_system", conflict "not_our_file", unavailable "database_unreadable".
    static Result<std::unique_ptr<Connection>> open(const std::string& path, Mode mode);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// Runs one or several statements without parameters and drops their rows.
    Status exec(const char* sql);
    /// The first column of the first row of a statement without parameters.
    Result<std::int64_t> scalar(const char* sql);

    bool in_transaction() const;
    std::int64_t last_insert_id() const;
    int changes() const;
    /// Rows changed since the connection was opened, those of triggers included.
    std::int64_t changes_total() const;
    /// Pages in the write-ahead log after this connection's newest commit; 0 after it was moved whole.
    std::int64_t wal_pages() const { return wal_pages_; }
    const Work& work() const { return work_; }
    /// The text of every statement that is kept prepared and not in use now.
    std::vector<const char*> prepared() const;
    /// The connection's newest failure in our words.
    Error last_error(int code) const;

    /// For what needs SQLite itself, like its backup.
    sqlite3* handle() const { return handle_; }

    /// From now on the files of this moment are the database: check_files() tells when they are gone.
    void remember_files(const std::string& path);
    /// Fails: unavailable "database_replaced" when nightshift.db or its log was deleted or is another
    /// file. What was only in a deleted log is moved into the database, so that a restart finds it.
    Status check_files();

    /// Checks a cached statement out, or prepares it. `literal` is the key by address.
    Result<sqlite3_stmt*> check_out(const char* literal);
    void check_in(const char* literal, sqlite3_stmt* statement);
    /// Moves pages of the log into the database, as many as readers allow.
    Status move_wal_pages();

  private:
    explicit Connection(sqlite3* handle) : handle_(handle) {}
    Status set_up(const std::string& path, Mode mode);

    sqlite3* handle_;
    std::unordered_multimap<const char*, sqlite3_stmt*> idle_;
    std::int64_t wal_pages_ = 0;
    Work work_;
    std::string path_;  ///< empty = files are not watched
    std::optional<FileIdentity> file_, log_;
};

}  // namespace nightshift::db
