// The hash that a table's writer makes while it writes is that of the file.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "jobs/runtime/sha256.h"
#include "jobs/runtime/written_hashes.h"
#include "jobs/table/table_reader.h"
#include "jobs/table/table_writer.h"
#include "tests/jobs/fpcb/sequences.h"
#include "tests/jobs/table/file_size_limit.h"
#include "tests/support/scratch_folder.h"

using namespace nightshift;
using namespace nightshift::tests;
using jobs::TableFormat;

namespace {

namespace fs = std::filesystem;

std::vector<TableFormat> formats() {
    std::vector<TableFormat> out{TableFormat::kCsv};
    if (jobs::table_format_available(TableFormat::kFeather))
        out.insert(out.end(), {TableFormat::kFeather, TableFormat::kParquet});
    return out;
}

/// Columns of each type; every value depends on its row.
jobs::Table rows_of(std::size_t rows, std::size_t doubles = 9) {
    std::vector<std::string> name;
    std::vector<float> small;
    for (std::size_t i = 0; i < rows; ++i) {
        name.push_back(i % 3 == 0 ? "" : "판 " + std::to_string(i));
        small.push_back(static_cast<float>(i) / 3);
    }
    jobs::Table table;
    table.add("name", std::move(name));
    table.add("small", std::move(small));
    for (std::size_t j = 0; j < doubles; ++j) {
        std::vector<double> values(rows);
        for (std::size_t i = 0; i < rows; ++i) values[i] = static_cast<double>(i * 31 + j) / 7;
        table.add("value " + std::to_string(j), std::move(values));
    }
    table.notes["set"] = "compat81";
    return table;
}

std::string written(const fs::path& file, TableFormat format, const jobs::Table& rows) {
    jobs::TableWriter writer(file, format, rows.heads(), rows.notes);
    writer.add(rows);
    return writer.finish();
}

void check_hash(const fs::path& file, const std::string& hash) {
    CHECK(hash.size() == 64);
    CHECK(hash == jobs::sha256_of_file(file));
    CHECK(hash == jobs::written_hash_of_file(file));
    CHECK(bytes_of(jobs::hash_file_of(file)) == hash + "  " + file.filename().string() + "\n");
}

}  // namespace

TEST_CASE("table digest: of no rows, one, a piece and a row, and of more buffers than wait for one call") {
    const ScratchFolder scratch;
    for (const TableFormat format : formats()) {
        const auto file = scratch / ("표" + std::string(jobs::extension(format)));
        CAPTURE(file.string());
        for (const std::size_t rows :
             {std::size_t{0}, std::size_t{1}, jobs::kPieceRows + 1, 3 * jobs::kPieceRows})
            check_hash(file, written(file, format, rows_of(rows)));
        check_hash(file, written(file, format, rows_of(5, 1500)));
    }
}

TEST_CASE("table digest: on a disk that fails nothing is left and nothing is said to be whole") {
    const ScratchFolder scratch;
    const jobs::Table rows = rows_of(3 * jobs::kPieceRows);
    for (const TableFormat format : formats()) {
        const auto file = scratch / ("t" + std::string(jobs::extension(format)));
        CAPTURE(file.string());
        written(file, format, rows_of(4));
        const std::string before = bytes_of(file), hash_before = bytes_of(jobs::hash_file_of(file));
        // The first write fails, one amid the rows, and the end of the file with its footer.
        const auto size = [&] {
            const auto whole = scratch / ("whole" + std::string(jobs::extension(format)));
            written(whole, format, rows);
            return fs::file_size(whole);
        }();
        for (const std::uintmax_t bytes : {std::uintmax_t{2}, size / 2, size - 3}) {
            CAPTURE(bytes);
            jobs::TableWriter writer(file, format, rows.heads(), rows.notes);
            {
                const FileSizeLimit limit(bytes);
                const std::string words = refusal([&] {
                    writer.add(rows);
                    writer.finish();
                });
                CHECK(has(words, "io_error: "));
                CHECK(has(words, "File too large"));
            }
            // There is room again, but bytes are missing.
            CHECK(has(refusal([&] { writer.finish(); }), "write it again from its first row"));
            CHECK(has(refusal([&] { writer.add(rows); }), "write it again from its first row"));
        }
        CHECK_FALSE(fs::exists(file.string() + ".tmp"));
        CHECK(bytes_of(file) == before);
        CHECK(bytes_of(jobs::hash_file_of(file)) == hash_before);
        check_hash(file, written(file, format, rows));
    }
}

TEST_CASE("table digest: a table that was left unfinished does not count for the next") {
    const ScratchFolder scratch;
    for (const TableFormat format : formats()) {
        const auto file = scratch / ("t" + std::string(jobs::extension(format)));
        CAPTURE(file.string());
        {
            jobs::TableWriter writer(file, format, rows_of(0).heads());
            writer.add(rows_of(jobs::kPieceRows));
        }
        CHECK_FALSE(fs::exists(jobs::hash_file_of(file)));
        check_hash(file, written(file, format, rows_of(7)));
        jobs::TableWriter writer(file, format, rows_of(0).heads());
        writer.finish();
        CHECK(has(refusal([&] { writer.add(rows_of(1)); }), "the table is finished"));
        CHECK(has(refusal([&] { writer.finish(); }), "the table is finished"));
    }
}
