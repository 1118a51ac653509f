#pragma once

#include <string>
#include <string_view>

#include "jobs/table/table.h"

namespace nightshift::jobs {

/// Parses a comma-separated table with a header line: LF or CRLF, double quotes as in RFC 4180, a byte
/// order mark skipped. A column whose cells are all numbers or empty is double (empty = NaN); a number
/// with leading zeros is a name, so its column is text. Throws JobError("bad_table") with `file` and line.
Table parse_csv(std::string_view text, const std::string& file);

/// Doubles with 17 significant digits, floats with 9, LF, text quoted where it has to be.
std::string csv_text(const Table& table);

}  // namespace nightshift::jobs
