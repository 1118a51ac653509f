// Feather files whose numbers are read from where they lie in the file.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>

#include "jobs/table/table_reader.h"
#include "jobs/table/table_writer.h"
#include "tests/jobs/fpcb/sequences.h"
#include "tests/support/scratch_folder.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kRows = 2 * jobs::kPieceRows + 100;

double value_at(std::size_t row, std::size_t column) {
    return std::sin(static_cast<double>(row)) * static_cast<double>(column + 1);
}

jobs::Table sample() {
    std::vector<std::string> name;
    std::vector<float> small;
    for (std::size_t i = 0; i < kRows; ++i) {
        name.push_back("판 " + std::to_string(i));
        small.push_back(static_cast<float>(value_at(i, 4)));
    }
    jobs::Table table;
    for (std::size_t j = 0; j < 4; ++j) {
        std::vector<double> values;
        for (std::size_t i = 0; i < kRows; ++i) values.push_back(value_at(i, j));
        table.add("value " + std::to_string(j), std::move(values));
    }
    table.add("small", std::move(small));
    table.add("name", std::move(name));
    return table;
}

/// A Feather file of sample() without a hash beside it.
fs::path stored(const ScratchFolder& scratch) {
    const fs::path file = scratch / "stored.feather";
    jobs::write_table(sample(), file, jobs::TableFormat::kFeather);
    fs::remove(jobs::hash_file_of(file));
    return file;
}

}  // namespace

TEST_CASE("stored table: numbers of every piece, into memory that held other types and lengths") {
    if (!jobs::table_format_available(jobs::TableFormat::kFeather)) return;
    const ScratchFolder scratch;
    const auto reader = jobs::TableReader::open(stored(scratch));
    jobs::Table piece;
    piece.add("of another table", std::vector<std::string>{"a"});
    piece.add("and", std::vector<float>{1});
    std::size_t row = 0;
    for (; reader->next(piece); row += piece.rows()) {
        REQUIRE(piece.heads() == sample().heads());
        const auto small = std::get<std::vector<float>>(piece.columns()[4].values);
        const auto name = piece.text("name");
        for (std::size_t i = 0; i < piece.rows(); ++i) {
            for (std::size_t j = 0; j < 4; ++j)
                REQUIRE(std::get<std::vector<double>>(piece.columns()[j].values)[i] == value_at(row + i, j));
            REQUIRE(small[i] == static_cast<float>(value_at(row + i, 4)));
            REQUIRE(name[i] == "판 " + std::to_string(row + i));
        }
    }
    CHECK(row == kRows);
}

TEST_CASE("stored table: a file that is cut short while it is read is refused, and whole again it goes on") {
    if (!jobs::table_format_available(jobs::TableFormat::kFeather)) return;
    const ScratchFolder scratch;
    const fs::path file = stored(scratch);
    const std::string whole = bytes_of(file);
    const auto reader = jobs::TableReader::open(file);
    jobs::Table piece;
    REQUIRE(reader->next(piece));
    const jobs::Table kept = piece;  // what was read stays, whatever becomes of the file
    for (const std::uintmax_t left : {std::uintmax_t{0}, std::uintmax_t{100'000}, whole.size() / 2}) {
        CAPTURE(left);
        fs::resize_file(file, left);
        const std::string words = refusal([&] {
            while (reader->next(piece)) {
            }
        });
        CHECK(has(words, "bad_table: " + file.string()));
        reader->rewind();
    }
    put(file, whole);
    const auto again = jobs::TableReader::open(file);
    REQUIRE(again->next(piece));
    CHECK(piece.numbers("value 2") == kept.numbers("value 2"));
    CHECK(kept.numbers("value 2")[7] == value_at(7, 2));
}

TEST_CASE("stored table: a batch of another program, longer than a piece, with what has to be read whole") {
    if (!jobs::table_format_available(jobs::TableFormat::kFeather)) return;
    const ScratchFolder scratch;
    const fs::path file = scratch / "foreign.feather";
    fs::copy_file(data_folder() / "tables/pyarrow.feather", file);
    const auto reader = jobs::TableReader::open(file);
    CHECK(reader->rows() == 16'500);
    for (int pass = 0; pass < 2; ++pass, reader->rewind()) {
        jobs::Table piece;
        std::size_t row = 0;
        std::vector<std::size_t> sizes;
        while (reader->next(piece)) {
            sizes.push_back(piece.rows());
            CHECK(piece.heads() == reader->columns());
            const auto numbers = piece.matrix({"half", "quarter", "holes", "count", "flag"});
            const auto word = piece.text("word");
            for (std::size_t i = 0; i < piece.rows(); ++i, ++row) {
                const double* found = numbers.data() + 5 * i;
                REQUIRE(found[0] == static_cast<double>(row % 8) / 2);
                REQUIRE(found[1] == static_cast<double>(row % 16) / 4);
                REQUIRE((row % 5 == 0 ? std::isnan(found[2]) : found[2] == static_cast<double>(row % 3)));
                REQUIRE(found[3] == static_cast<double>(row % 100));
                REQUIRE(found[4] == (row % 2 == 0 ? 1 : 0));
                REQUIRE(word[i] == (row % 4 == 0 ? "" : "w" + std::to_string(row % 3)));
            }
        }
        CHECK(sizes == std::vector<std::size_t>{jobs::kPieceRows, 16'500 - jobs::kPieceRows});
    }
    jobs::Table piece;
    REQUIRE(reader->next(piece));
    fs::resize_file(file, 100'000);  // behind the head of the batch that was begun
    const std::string words = refusal([&] { reader->next(piece); });
    CHECK(has(words, "bad_table: " + file.string()));
    CHECK(has(words, "the file ends before byte 132784; it was cut short while it was read"));
}
