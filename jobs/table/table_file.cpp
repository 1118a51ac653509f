#include <cstdint>
#include <filesystem>
#include <string>

#include "jobs/runtime/job_impl.h"
#include "jobs/table/arrow_module.h"
#include "jobs/table/table.h"
#include "jobs/table/table_reader.h"
#include "jobs/table/table_writer.h"

namespace nightshift::jobs {

namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kCsvBytesMax = std::uintmax_t{4} << 30;

}  // namespace

TableFormat table_format(std::string_view word) {
    if (word == "csv") return TableFormat::kCsv;
    if (word == "feather") return TableFormat::kFeather;
    if (word == "parquet") return TableFormat::kParquet;
    throw JobError("bad_param", "format '" + std::string(word) + "' is not csv, feather or parquet");
}

TableFormat table_format_of(const fs::path& path) {
    const std::string ending = path.extension().string();
    if (ending == ".csv") return TableFormat::kCsv;
    if (ending == ".feather" || ending == ".arrow") return TableFormat::kFeather;
    if (ending == ".parquet") return TableFormat::kParquet;
    throw JobError("bad_table", path.string() + ": a table's name ends in .csv, .feather or .parquet");
}

std::string_view extension(TableFormat format) {
    switch (format) {
        case TableFormat::kCsv:
            return ".csv";
        case TableFormat::kFeather:
            return ".feather";
        case TableFormat::kParquet:
            return ".parquet";
    }
    return "";
}

bool table_format_available(TableFormat format) {
    return format == TableFormat::kCsv || has_arrow_module();
}

fs::path hash_file_of(const fs::path& path) {
    fs::path out = path;
    out += ".sha256";
    return out;
}

Table read_table(const fs::path& path) {
    const auto reader = TableReader::open(path);
    if (table_format_of(path) == TableFormat::kCsv && fs::file_size(path) > kCsvBytesMax) {
        throw JobError("file_too_large",
                       path.string() + " is larger than " + std::to_string(kCsvBytesMax) + " bytes");
    }
    return rest_of(*reader);
}

void write_table(const Table& table, const fs::path& path, TableFormat format) {
    TableWriter writer(path, format, table.heads(), table.notes);
    writer.add(table);
    writer.finish();
}

}  // namespace nightshift::jobs
