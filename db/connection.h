#pragma once

#include <memory>
#include <string>
#include <unordered_map>

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

    /// Fails: corrupt "database_damaged", exhausted "disk_low", unsupported "network_file_system",
    /// conflict "not_our_file", unavailable "database_unreadable".
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

    /// Checks a cached statement out, or prepares it. `literal` is the key by address.
    Result<sqlite3_stmt*> check_out(const char* literal);
    void check_in(const char* literal, sqlite3_stmt* statement);

  private:
    explicit Connection(sqlite3* handle) : handle_(handle) {}
    Status set_up(const std::string& path, Mode mode);

    sqlite3* handle_;
    std::unordered_map<const char*, sqlite3_stmt*> idle_;
};

}  // namespace nightshift::db
