// Tables that are read and written piece by piece.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "jobs/runtime/sha256.h"
#include "jobs/table/table_reader.h"
#include "jobs/table/table_writer.h"
#include "tests/jobs/fpcb/sequences.h"
#include "tests/support/scratch_folder.h"

using namespace nightshift;
using namespace nightshift::tests;
using jobs::TableFormat;

namespace {

constexpr std::size_t kRows = 40'000;

/// Rows `first` up to `last` of one long table.
jobs::Table rows_of(std::size_t first, std::size_t last) {
    std::vector<std::string> name;
    std::vector<double> value;
    std::vector<float> small;
    for (std::size_t i = first; i < last; ++i) {
        name.push_back(i % 7 == 0 ? "a,\"" + std::to_string(i) + "\"\n" : std::to_string(i % 100) + "번");
        value.push_back(i % 11 == 0 ? std::numeric_limits<double>::quiet_NaN()
                                    : std::sin(static_cast<double>(i)) * 1e-9);
        small.push_back(static_cast<float>(i) / 3);
    }
    jobs::Table table;
    table.add("name", std::move(name));
    table.add("value", std::move(value));
    table.add("small", std::move(small));
    table.notes["set"] = "compat81";
    return table;
}

template <typename T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

bool same(const jobs::Table& a, const jobs::Table& b) {
    if (a.heads() != b.heads()) return false;
    for (std::size_t j = 0; j < a.columns().size(); ++j) {
        const auto& x = a.columns()[j].values;
        const auto& y = b.columns()[j].values;
        if (a.columns()[j].is_text() ? x != y
                                     : !std::visit(
                                           [&](const auto& list) {
                                               using List = std::decay_t<decltype(list)>;
                                               if constexpr (std::is_same_v<List, std::vector<std::string>>)
                                                   return false;
                                               else
                                                   return same_bits(list, std::get<List>(y));
                                           },
                                           x))
            return false;
    }
    return true;
}

std::vector<TableFormat> formats() {
    std::vector<TableFormat> out{TableFormat::kCsv};
    if (jobs::table_format_available(TableFormat::kFeather))
        out.insert(out.end(), {TableFormat::kFeather, TableFormat::kParquet});
    return out;
}

}  // namespace

TEST_CASE("table pieces: how rows are added changes no byte, and pieces joined are the whole") {
    const ScratchFolder scratch;
    const jobs::Table whole = rows_of(0, kRows);
    for (const TableFormat format : formats()) {
        const std::string ending(jobs::extension(format));
        CAPTURE(ending);
        const auto at_once = scratch / ("whole" + ending), in_parts = scratch / ("parts" + ending);
        jobs::write_table(whole, at_once, format);
        jobs::TableWriter writer(in_parts, format, whole.heads(), whole.notes);
        for (std::size_t first = 0, step = 1; first < kRows; first += step, step = 3 * step + 1)
            writer.add(rows_of(first, std::min(first + step, kRows)));
        writer.add(rows_of(0, 0));
        writer.finish();
        CHECK(bytes_of(at_once) == bytes_of(in_parts));
        CHECK(bytes_of(in_parts.string() + ".sha256") ==
              jobs::sha256_of_file(in_parts) + "  parts" + ending + "\n");

        const auto reader = jobs::TableReader::open(in_parts);
        CHECK(reader->rows() == kRows);
        for (int pass = 0; pass < 2; ++pass) {
            std::vector<std::size_t> sizes;
            jobs::Table piece;
            for (std::size_t row = 0; reader->next(piece); row += piece.rows()) {
                sizes.push_back(piece.rows());
                jobs::Table expected = rows_of(row, row + piece.rows());
                if (format == TableFormat::kCsv) {
                    REQUIRE(piece.text("name") == expected.text("name"));
                    REQUIRE(same_bits(piece.numbers("value"), expected.numbers("value")));
                } else {
                    REQUIRE(same(piece, expected));
                }
            }
            CHECK(sizes ==
                  std::vector<std::size_t>{jobs::kPieceRows, jobs::kPieceRows, kRows - 2 * jobs::kPieceRows});
            CHECK_FALSE(reader->next(piece));
            reader->rewind();
        }
        const jobs::Table found = jobs::read_table(in_parts);
        CHECK(same(found, jobs::rest_of(*reader)));
        if (format != TableFormat::kCsv) CHECK(same(found, whole));
        CHECK(found.notes ==
              (format == TableFormat::kCsv ? std::map<std::string, std::string>() : whole.notes));
        CHECK(reader->notes() == found.notes);
        CHECK(reader->columns() == found.heads());
    }
}

TEST_CASE("table pieces: a table without rows keeps its columns") {
    const ScratchFolder scratch;
    for (const TableFormat format : formats()) {
        const auto file = scratch / ("empty" + std::string(jobs::extension(format)));
        CAPTURE(file.string());
        const jobs::Table empty = rows_of(0, 0);
        jobs::write_table(empty, file, format);
        const jobs::Table found = jobs::read_table(file);
        CHECK(found.rows() == 0);
        REQUIRE(found.columns().size() == 3);
        if (format != TableFormat::kCsv) CHECK(found.heads() == empty.heads());
        jobs::Table piece;
        CHECK_FALSE(jobs::TableReader::open(file)->next(piece));
    }
}

TEST_CASE("table pieces: very wide tables have short ones") {
    const ScratchFolder scratch;
    std::vector<jobs::Column> columns;
    for (int j = 0; j < 3000; ++j) columns.push_back({"c" + std::to_string(j), std::vector<double>(1000, j)});
    const jobs::Table wide(std::move(columns));
    for (const TableFormat format : formats()) {
        const auto file = scratch / ("wide" + std::string(jobs::extension(format)));
        CAPTURE(file.string());
        jobs::write_table(wide, file, format);
        const auto reader = jobs::TableReader::open(file);
        jobs::Table piece;
        REQUIRE(reader->next(piece));
        CHECK(piece.rows() == 699);
        REQUIRE(reader->next(piece));
        CHECK(piece.rows() == 301);
    }
}

TEST_CASE("table writer: unfinished, nothing is left and the old file stays") {
    const ScratchFolder scratch;
    for (const TableFormat format : formats()) {
        const auto file = scratch / ("t" + std::string(jobs::extension(format)));
        CAPTURE(file.string());
        const jobs::Table rows = rows_of(0, jobs::kPieceRows + 5);
        {
            jobs::TableWriter writer(file, format, rows.heads());
            writer.add(rows);
            CHECK(std::filesystem::exists(file.string() + ".tmp"));
        }
        CHECK(std::filesystem::is_empty(scratch.path()));
        jobs::write_table(rows, file, format);
        const std::string before = bytes_of(file);
        {
            jobs::TableWriter writer(file, format, rows.heads());
            writer.add(rows);
        }
        CHECK(bytes_of(file) == before);
        CHECK(jobs::TableReader::open(file)->rows() == rows.rows());
        CHECK_FALSE(std::filesystem::exists(file.string() + ".tmp"));
        std::filesystem::remove(file);
        std::filesystem::remove(file.string() + ".sha256");
    }
}

TEST_CASE("table writer: rows with other columns are refused") {
    const ScratchFolder scratch;
    jobs::Table rows = rows_of(0, 3), other;
    other.add("name", std::vector<double>{1});
    jobs::TableWriter writer(scratch / "t.csv", TableFormat::kCsv, rows.heads());
    CHECK(has(refusal([&] { writer.add(other); }), "t.csv: rows with other columns"));
    const std::vector<jobs::ColumnHead> twice{{"a", {}}, {"a", {}}};
    CHECK(has(refusal([&] { jobs::TableWriter(scratch / "u.csv", TableFormat::kCsv, twice); }),
              "two columns are named 'a'"));
    CHECK_FALSE(std::filesystem::exists(scratch / "u.csv.tmp"));
    const auto nowhere = scratch.path() / "none" / "t.csv";
    CHECK(
        has(refusal([&] { jobs::TableWriter(nowhere, TableFormat::kCsv, rows.heads()); }), "cannot create"));
}

TEST_CASE("table reader: a hash that does not match is seen at once, and only then") {
    const ScratchFolder scratch;
    for (const TableFormat format : formats()) {
        const auto file = scratch / ("t" + std::string(jobs::extension(format)));
        CAPTURE(file.string());
        jobs::write_table(rows_of(0, 10), file, format);
        const auto beside = file.string() + ".sha256";
        const auto reader = jobs::TableReader::open(file);
        put(beside, std::string(64, '0') + "  t\n");
        CHECK(has(refusal([&] { jobs::TableReader::open(file); }), "hash_mismatch"));
        reader->rewind();
        jobs::Table piece;
        REQUIRE(reader->next(piece));
        CHECK(piece.rows() == 10);
    }
}

TEST_CASE("table reader: what pandas, polars and pyarrow write") {
    if (!jobs::table_format_available(TableFormat::kFeather)) return;
    for (const char* name : {"pandas.feather", "polars.feather", "pyarrow.parquet", "polars.parquet"}) {
        CAPTURE(name);
        const auto reader = jobs::TableReader::open(data_folder() / "tables" / name);
        const std::size_t rows = std::string(name) == "polars.feather" ? 50 : 20'000;
        CHECK(reader->rows() == rows);
        jobs::Table piece;
        std::size_t row = 0, pieces = 0;
        for (; reader->next(piece); ++pieces) {
            REQUIRE(piece.rows() <= jobs::kPieceRows);
            CHECK(piece.columns()[4].name == "float");
            CHECK(std::holds_alternative<std::vector<float>>(piece.columns()[4].values));
            const auto text = piece.text("name");
            const auto numbers = piece.matrix({"small", "large", "float", "even", "half"});
            for (std::size_t i = 0; i < piece.rows(); ++i, ++row) {
                REQUIRE(text[i] == (row % 9 == 0 ? "" : "판 " + std::to_string(row % 5)));
                const double* found = numbers.data() + 5 * i;
                REQUIRE(found[0] == static_cast<double>(row % 7));
                REQUIRE(found[1] == static_cast<double>(row / 1000));
                REQUIRE(found[2] == static_cast<double>(row % 3));
                REQUIRE(found[3] == (row % 2 == 0 ? 1 : 0));
                if (row % 10 == 0)
                    REQUIRE(std::isnan(found[4]));
                else
                    REQUIRE(found[4] == static_cast<double>(row % 10) / 2);
            }
        }
        CHECK(row == rows);
        CHECK(pieces == (rows == 50 ? 1 : 2));
    }
}

TEST_CASE("table reader: a table just written is read without a look at its hash") {
    const ScratchFolder scratch;
    const auto file = scratch / "t.csv";
    jobs::Table table;
    table.add("x", std::vector<double>{1, 2});
    jobs::write_table(table, file, jobs::TableFormat::kCsv);
    put(file, "x\n3\n");
    CHECK(has(refusal([&] { jobs::TableReader::open(file); }), "hash_mismatch"));
    const auto reader = jobs::TableReader::open_written(file);
    CHECK(jobs::rest_of(*reader).numbers("x") == std::vector<double>{3});
    CHECK(has(refusal([&] { jobs::TableReader::open_written(scratch / "none.csv"); }), "no_such_input"));
    CHECK(has(refusal([&] { jobs::TableReader::open_written(scratch / "t.txt"); }), "no_such_input"));
}
