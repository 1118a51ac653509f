#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "db/file_system.h"
#include "scheduler/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace nightshift::db {

/// "nsft": tells this program's files from other SQLite files.
inline constexpr int kApplicationId = 0x6e736674;

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

  private:
    explicit Connection(sqlite3* handle) : handle_(handle) {}
    Status set_up(const std::string& path, Mode mode);

    sqlite3* handle_;
    std::string path_;  ///< empty = files are not watched
    std::optional<FileIdentity> file_, log_;
    std::unordered_map<const char*, sqlite3_stmt*> idle_;
};

}  // namespace nightshift::db
