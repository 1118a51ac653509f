#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "jobs/table/table.h"

namespace nightshift::jobs {

/// Parses a whole text as csv_reader() does. Throws JobError("bad_table") with `file` and line.
Table parse_csv(std::string_view text, const std::string& file);

/// Doubles with 17 significant digits, floats with 9, LF, text quoted where it has to be.
std::string csv_text(const Table& table);

// The same in parts, at the end of `out`.
void append_csv_head(std::string& out, std::span<const ColumnHead> columns);
void append_csv_row(std::string& out, std::span<const Column> columns, std::size_t row);

}  // namespace nightshift::jobs
