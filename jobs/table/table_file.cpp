#include <filesystem>
#include <string>

#include "jobs/runtime/durable_file.h"
#include "jobs/runtime/job_impl.h"
#include "jobs/runtime/sha256.h"
#include "jobs/table/arrow_module.h"
#include "jobs/table/csv.h"
#include "jobs/table/table.h"

namespace nightshift::jobs {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kCsvBytesMax = std::size_t{4} << 30;
constexpr std::size_t kHashFileBytesMax = 4096;

fs::path hash_file_of(const fs::path& path) {
    fs::path out = path;
    out += ".sha256";
    return out;
}

/// Compares with the hash that lies beside the file, if one does.
void check_hash(const fs::path& path) {
    std::error_code error;
    const fs::path beside = hash_file_of(path);
    if (!fs::exists(beside, error)) return;
    const std::string text = read_text(beside, kHashFileBytesMax);
    const std::string recorded = text.substr(0, text.find_first_of(" \n"));
    const std::string found = sha256_of_file(path);
    if (recorded == found) return;
    throw JobError("hash_mismatch", path.string() + " is not what was written (" +
                                        std::to_string(fs::file_size(path, error)) +
                                        " bytes now). Recorded SHA-256 " + recorded + ", found " + found +
                                        ". Make the table again, or delete " + beside.filename().string() +
                                        " if you changed it on purpose.");
}

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

Table read_table(const fs::path& path) {
    std::error_code error;
    if (!fs::is_regular_file(path, error)) {
        throw JobError("no_such_input",
                       path.string() + ": no such file. Give a .csv, .feather or .parquet table, or job:ID.");
    }
    const TableFormat format = table_format_of(path);
    check_hash(path);
    if (format == TableFormat::kCsv) return parse_csv(read_text(path, kCsvBytesMax), path.string());
    TableParts parts = arrow_read(path, format);
    Table table;
    table.notes = std::move(parts.notes);
    for (Column& column : parts.columns) table.add(std::move(column.name), std::move(column.values));
    return table;
}

void write_table(const Table& table, const fs::path& path, TableFormat format) {
    std::error_code error;
    const fs::path beside = hash_file_of(path);
    // An old hash must not outlive the file it speaks of.
    fs::remove(beside, error);
    if (format == TableFormat::kCsv) {
        const std::string text = csv_text(table);
        write_durably(path, text);
    } else {
        fs::path temporary = path;
        temporary += ".tmp";
        arrow_write({table.columns(), table.notes, {}}, temporary, format);
        sync_file(temporary);
        fs::rename(temporary, path);
        sync_folder(path.parent_path());
    }
    write_durably(beside, sha256_of_file(path) + "  " + path.filename().string() + "\n");
}

}  // namespace nightshift::jobs
