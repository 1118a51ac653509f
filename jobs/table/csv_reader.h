#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "jobs/table/csv_records.h"
#include "jobs/table/table_reader.h"

namespace nightshift::jobs {

/// A file that stays open. Throws JobError("io_error").
std::unique_ptr<CsvSource> csv_file(const std::filesystem::path& file);
/// A text that must outlive the source.
std::unique_ptr<CsvSource> csv_text_source(std::string_view text);

/// A comma-separated table with a header line, records as CsvRecords splits them. A column whose cells are
/// all numbers or empty is double (empty = NaN), one without any value is text; a number with leading zeros
/// is a name, so its column is text. Reads everything once to tell numbers from text. Throws
/// JobError("bad_table") with `file` and line.
std::unique_ptr<TableReader> csv_reader(std::unique_ptr<CsvSource> source, const std::string& file);

}  // namespace nightshift::jobs
