#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "db/connection.h"
#include "scheduler/ids.h"
#include "scheduler/units.h"

namespace nightshift::db {

/// Bytes bound as BLOB.
struct Blob {
    std::string_view bytes;
};

/// One use of a prepared statement: binds all parameters, steps, gives the statement back at its end.
/// A failure to prepare or bind shows at the first step. `literal` must be a string literal: the
/// cache knows statements by its address.
class Statement {
  public:
    template <typename... Args>
    Statement(Connection& connection, const char* literal, const Args&... args)
        : Statement(connection, literal, Prepare{}) {
        int index = 0;
        (bind(++index, args), ...);
        static_cast<void>(index);
    }
    ~Statement();
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    /// True: a row is there. False: done.
    Result<bool> step();
    /// For statements without rows.
    Status run();
    /// Calls `row` for each row.
    template <typename Row>
    Status each(Row&& row) {
        for (;;) {
            const auto has_row = step();
            if (!has_row) return has_row.error();
            if (!*has_row) return {};
            row();
        }
    }

    bool is_null(int column) const;
    std::int64_t integer(int column) const;
    double real(int column) const;
    std::string text(int column) const;  ///< also of BLOBs
    bool flag(int column) const { return integer(column) != 0; }
    Bytes bytes(int column) const { return {integer(column)}; }
    UnixMs time(int column) const { return {integer(column)}; }
    template <typename T>
    std::optional<T> maybe(int column) const {
        if (is_null(column)) return std::nullopt;
        return T{integer(column)};
    }
    std::optional<int> maybe_int(int column) const {
        if (is_null(column)) return std::nullopt;
        return static_cast<int>(integer(column));
    }

  private:
    struct Prepare {};
    Statement(Connection& connection, const char* literal, Prepare);

    void bind(int index, std::int64_t value);
    void bind(int index, int value) { bind(index, static_cast<std::int64_t>(value)); }
    void bind(int index, bool value) { bind(index, static_cast<std::int64_t>(value ? 1 : 0)); }
    void bind(int index, std::string_view value);
    void bind(int index, const std::string& value) { bind(index, std::string_view(value)); }
    void bind(int index, const char* value) { bind(index, std::string_view(value)); }
    void bind(int index, Blob value);
    void bind(int index, std::nullopt_t);
    void bind(int index, Bytes value) { bind(index, value.value); }
    void bind(int index, Millis value) { bind(index, value.value); }
    void bind(int index, UnixMs value) { bind(index, value.value); }
    template <typename Tag>
    void bind(int index, Id<Tag> value) {
        bind(index, value.value);
    }
    template <typename T>
    void bind(int index, const std::optional<T>& value) {
        if (value) {
            bind(index, *value);
        } else {
            bind(index, std::nullopt);
        }
    }

    Connection& connection_;
    const char* literal_;
    sqlite3_stmt* statement_ = nullptr;
    std::optional<Error> error_;
};

}  // namespace nightshift::db
