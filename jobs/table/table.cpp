#include "jobs/table/table.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <type_traits>
#include <unordered_set>
#include <utility>

#include "jobs/runtime/job_impl.h"
#include "jobs/table/nearest_word.h"

namespace nightshift::jobs {

namespace {

template <typename T>
std::string shortest(T value) {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
    char digits[40];
    const auto [end, code] = std::to_chars(digits, digits + sizeof digits, value);
    return {digits, end};
}

[[noreturn]] void refuse_second(const std::string& name) {
    throw JobError("bad_table", "two columns are named '" + name + "'");
}

void require_rows(const Column& column, std::size_t rows) {
    if (column.size() == rows) return;
    throw JobError("bad_table", "column '" + column.name + "' has " + std::to_string(column.size()) +
                                    " rows, the others " + std::to_string(rows));
}

const Column& require(const Table& table, std::string_view name) {
    if (const Column* column = table.find(name)) return *column;
    std::vector<std::string> names;
    for (const Column& column : table.columns()) names.push_back(column.name);
    throw JobError("no_such_column",
                   "the table has no column '" + std::string(name) + "'." + did_you_mean(name, names));
}

const Column& require_numbers(const Table& table, std::string_view name) {
    const Column& column = require(table, name);
    if (!column.is_text()) return column;
    throw JobError("not_a_number", "column '" + column.name + "' holds text, not numbers");
}

}  // namespace

std::size_t Column::size() const {
    return std::visit([](const auto& list) { return list.size(); }, values);
}

Column column_without_values(const ColumnHead& head) {
    switch (head.type) {
        case ColumnHead::Type::kDouble:
            return {head.name, std::vector<double>()};
        case ColumnHead::Type::kFloat:
            return {head.name, std::vector<float>()};
        case ColumnHead::Type::kText:
            return {head.name, std::vector<std::string>()};
    }
    return {head.name, {}};
}

void require_unique(const std::vector<ColumnHead>& columns) {
    std::unordered_set<std::string_view> names;
    for (const ColumnHead& column : columns) {
        if (!names.insert(column.name).second) refuse_second(column.name);
    }
}

Table table_without_rows(const std::vector<ColumnHead>& columns) {
    std::vector<Column> none;
    for (const ColumnHead& head : columns) none.push_back(column_without_values(head));
    return Table(std::move(none));
}

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
    if (!columns_.empty()) rows_ = columns_.front().size();
    std::unordered_set<std::string_view> names;
    for (const Column& column : columns_) {
        if (!names.insert(column.name).second) refuse_second(column.name);
        require_rows(column, rows_);
    }
}

void Table::add(std::string name, Column::Values values) {
    Column column{std::move(name), std::move(values)};
    if (find(column.name) != nullptr) refuse_second(column.name);
    if (!columns_.empty()) require_rows(column, rows_);
    rows_ = column.size();
    columns_.push_back(std::move(column));
}

const Column* Table::find(std::string_view name) const {
    for (const Column& column : columns_) {
        if (column.name == name) return &column;
    }
    return nullptr;
}

std::vector<ColumnHead> Table::heads() const {
    std::vector<ColumnHead> out;
    out.reserve(columns_.size());
    for (const Column& column : columns_)
        out.push_back({column.name, static_cast<ColumnHead::Type>(column.values.index())});
    return out;
}

std::vector<Column> Table::release() {
    rows_ = 0;
    notes.clear();
    return std::exchange(columns_, {});
}

std::vector<std::string> Table::numeric_names() const {
    std::vector<std::string> names;
    for (const Column& column : columns_) {
        if (!column.is_text()) names.push_back(column.name);
    }
    return names;
}

std::vector<double> Table::numbers(std::string_view name) const {
    const Column& column = require_numbers(*this, name);
    if (const auto* doubles = std::get_if<std::vector<double>>(&column.values)) return *doubles;
    const auto& floats = std::get<std::vector<float>>(column.values);
    return {floats.begin(), floats.end()};
}

std::vector<std::string> Table::text(std::string_view name) const {
    const Column& column = require(*this, name);
    if (const auto* words = std::get_if<std::vector<std::string>>(&column.values)) return *words;
    std::vector<std::string> out;
    out.reserve(rows_);
    if (const auto* doubles = std::get_if<std::vector<double>>(&column.values)) {
        for (double value : *doubles) out.push_back(shortest(value));
    } else {
        for (float value : std::get<std::vector<float>>(column.values)) out.push_back(shortest(value));
    }
    return out;
}

std::vector<const Column*> Table::number_columns(const std::vector<std::string>& names) const {
    std::vector<const Column*> out;
    for (const std::string& name : names) out.push_back(&require_numbers(*this, name));
    return out;
}

std::vector<double> Table::matrix(const std::vector<std::string>& names) const {
    const std::vector<const Column*> columns = number_columns(names);
    std::vector<double> out(rows_ * columns.size());
    for (std::size_t first = 0; first < rows_; first += kRowsTurned) {
        turn_rows(columns, first, std::min(kRowsTurned, rows_ - first), out.data() + first * columns.size());
    }
    return out;
}

void turn_rows(std::span<const Column* const> columns, std::size_t first, std::size_t rows, double* out) {
    const std::size_t width = columns.size();
    for (std::size_t j = 0; j < width; ++j) {
        std::visit(
            [&](const auto& values) {
                if constexpr (!std::is_same_v<decltype(values), const std::vector<std::string>&>) {
                    for (std::size_t r = 0; r < rows; ++r) out[r * width + j] = values[first + r];
                }
            },
            columns[j]->values);
    }
}

}  // namespace nightshift::jobs
