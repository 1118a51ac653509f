#include "db/statement.h"

#include <sqlite3.h>

namespace nightshift::db {

Statement::Statement(Connection& connection, const char* literal, Prepare)
    : connection_(connection), literal_(literal) {
    auto prepared = connection.check_out(literal);
    if (prepared) {
        statement_ = *prepared;
    } else {
        error_ = prepared.error();
    }
}

Statement::~Statement() {
    if (statement_ == nullptr) return;
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
    connection_.check_in(literal_, statement_);
}

Result<bool> Statement::step() {
    if (error_) return *error_;
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    error_ = connection_.last_error(code);
    return *error_;
}

Status Statement::run() {
    const auto row = step();
    if (!row) return row.error();
    return {};
}

bool Statement::is_null(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}
std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(statement_, column);
}
double Statement::real(int column) const {
    return sqlite3_column_double(statement_, column);
}

std::string Statement::text(int column) const {
    const void* data = sqlite3_column_blob(statement_, column);
    const int size = sqlite3_column_bytes(statement_, column);
    if (data == nullptr || size <= 0) return {};
    return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
}

void Statement::bind(int index, std::int64_t value) {
    if (statement_ != nullptr && sqlite3_bind_int64(statement_, index, value) != SQLITE_OK) {
        error_ = connection_.last_error(SQLITE_RANGE);
    }
}

void Statement::bind(int index, std::string_view value) {
    if (statement_ == nullptr) return;
    const char* data = value.data() != nullptr ? value.data() : "";
    if (sqlite3_bind_text64(statement_, index, data, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8) !=
        SQLITE_OK) {
        error_ = connection_.last_error(SQLITE_TOOBIG);
    }
}

void Statement::bind(int index, Blob value) {
    if (statement_ == nullptr) return;
    const char* data = value.bytes.data() != nullptr ? value.bytes.data() : "";
    if (sqlite3_bind_blob64(statement_, index, data, value.bytes.size(), SQLITE_TRANSIENT) != SQLITE_OK) {
        error_ = connection_.last_error(SQLITE_TOOBIG);
    }
}

void Statement::bind(int index, std::nullopt_t) {
    if (statement_ != nullptr) sqlite3_bind_null(statement_, index);
}

}  // namespace nightshift::db
