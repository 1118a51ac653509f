#include "jobs/table/table.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "jobs/runtime/sha256.h"
#include "jobs/table/csv.h"
#include "tests/jobs/fpcb/sequences.h"
#include "tests/support/scratch_folder.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

jobs::Table sample() {
    jobs::Table table;
    table.add("name", std::vector<std::string>{"a,b", "이름 \"q\"", "line\nbreak"});
    table.add("value", std::vector<double>{.1, std::numeric_limits<double>::quiet_NaN(),
                                           -std::numeric_limits<double>::infinity()});
    table.add("small", std::vector<float>{.1f, 3e-30f, 16777217.f});
    table.notes["set"] = "native";
    return table;
}

void check_same(const jobs::Table& a, const jobs::Table& b) {
    REQUIRE(a.columns().size() == b.columns().size());
    for (std::size_t j = 0; j < a.columns().size(); ++j) {
        CHECK(a.columns()[j].name == b.columns()[j].name);
        CHECK(a.columns()[j].is_text() == b.columns()[j].is_text());
        if (a.columns()[j].is_text()) {
            CHECK(a.text(a.columns()[j].name) == b.text(a.columns()[j].name));
            continue;
        }
        const auto x = a.numbers(a.columns()[j].name), y = b.numbers(a.columns()[j].name);
        for (std::size_t i = 0; i < x.size(); ++i)
            CHECK((x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i]))));
    }
}

}  // namespace

TEST_CASE("table: columns have one length and one name each") {
    jobs::Table table = sample();
    CHECK(has(refusal([&] { table.add("value", std::vector<double>{1, 2, 3}); }), "bad_table"));
    CHECK(has(refusal([&] { table.add("short", std::vector<double>{1}); }), "bad_table"));
    CHECK(has(refusal([&] { table.numbers("valeu"); }), "Did you mean 'value'?"));
    CHECK(has(refusal([&] { table.numbers("name"); }), "not_a_number"));
    CHECK(table.numeric_names() == std::vector<std::string>{"value", "small"});
    CHECK(table.matrix({"small", "value"})[1] == .1);
}

TEST_CASE("table: a matrix has the rows of the columns asked for, in that order, however many") {
    for (const std::size_t rows : {0u, 1u, 63u, 64u, 65u, 200u}) {
        std::vector<double> wide(rows);
        std::vector<float> narrow(rows);
        for (std::size_t i = 0; i < rows; ++i) {
            wide[i] = .1 * static_cast<double>(i);
            narrow[i] = -.3f * static_cast<float>(i);
        }
        jobs::Table table;
        table.add("wide", wide);
        table.add("text", std::vector<std::string>(rows, "x"));
        table.add("narrow", narrow);
        const std::vector<double> found = table.matrix({"narrow", "wide", "narrow"});
        REQUIRE(found.size() == 3 * rows);
        int wrong = 0;
        for (std::size_t i = 0; i < rows; ++i) {
            wrong += found[3 * i] != static_cast<double>(narrow[i]) || found[3 * i + 1] != wide[i] ||
                     found[3 * i + 2] != found[3 * i];
        }
        CHECK(wrong == 0);
        CHECK(has(refusal([&] { table.matrix({"wide", "text"}); }), "not_a_number"));
        CHECK(has(refusal([&] { table.matrix({"wdie"}); }), "Did you mean 'wide'?"));
    }
}

TEST_CASE("table: each format gives back what was written") {
    const ScratchFolder scratch;
    for (const jobs::TableFormat format :
         {jobs::TableFormat::kCsv, jobs::TableFormat::kFeather, jobs::TableFormat::kParquet}) {
        if (!jobs::table_format_available(format)) {
            CHECK(has(refusal([&] { jobs::write_table(sample(), scratch / "x", format); }), "no_arrow"));
            continue;
        }
        const auto file = scratch / ("표" + std::string(jobs::extension(format)));
        CAPTURE(file.string());
        jobs::write_table(sample(), file, format);
        const jobs::Table found = jobs::read_table(file);
        if (format == jobs::TableFormat::kCsv) {
            CHECK(found.numbers("value")[0] == .1);
            CHECK(static_cast<float>(found.numbers("small")[1]) == 3e-30f);
            CHECK(found.text("name") == sample().text("name"));
        } else {
            check_same(sample(), found);
            CHECK(found.notes.at("set") == "native");
        }
    }
}

TEST_CASE("table: a truncated file is refused with both hashes") {
    const ScratchFolder scratch;
    for (const jobs::TableFormat format :
         {jobs::TableFormat::kCsv, jobs::TableFormat::kFeather, jobs::TableFormat::kParquet}) {
        if (!jobs::table_format_available(format)) continue;
        const auto file = scratch / ("t" + std::string(jobs::extension(format)));
        jobs::write_table(sample(), file, format);
        const std::string whole = bytes_of(file), half = whole.substr(0, whole.size() / 2);
        put(file, half);
        const std::string message = refusal([&] { jobs::read_table(file); });
        CHECK(has(message, "hash_mismatch"));
        CHECK(has(message, jobs::sha256_of(whole)));
        CHECK(has(message, jobs::sha256_of(half)));
        // Without the hash beside it the format itself has to notice; half a CSV file can be a table.
        std::filesystem::remove(file.string() + ".sha256");
        if (format != jobs::TableFormat::kCsv)
            CHECK(has(refusal([&] { jobs::read_table(file); }), "bad_table"));
    }
}

TEST_CASE("table: damaged Arrow files are refused, never followed") {
    const ScratchFolder scratch;
    for (const jobs::TableFormat format : {jobs::TableFormat::kFeather, jobs::TableFormat::kParquet}) {
        if (!jobs::table_format_available(format)) continue;
        const auto file = scratch / ("d" + std::string(jobs::extension(format)));
        jobs::write_table(sample(), file, format);
        std::filesystem::remove(file.string() + ".sha256");
        const std::string whole = bytes_of(file);
        for (std::size_t at = 0; at < whole.size(); at += 13) {
            std::string changed = whole;
            changed[at] = static_cast<char>(~changed[at]);
            put(file, changed);
            try {
                jobs::read_table(file);
            } catch (const jobs::JobError& error) {
                CHECK(error.code() == "bad_table");
            }
        }
    }
}

TEST_CASE("csv: numbers, names and faults") {
    const auto table = jobs::parse_csv("\xEF\xBB\xBFid,a,b,c\r\n0001,1,,x\r\n0002,nan,2e3,\r\n", "f.csv");
    CHECK(table.text("id")[0] == "0001");
    CHECK(table.numbers("a")[0] == 1);
    CHECK(std::isnan(table.numbers("b")[0]));
    CHECK(table.numbers("b")[1] == 2000);
    CHECK(table.text("c")[1].empty());
    CHECK(has(refusal([] { jobs::parse_csv("a,b\n1,2\n3\n", "f.csv"); }), "f.csv:3: 1 cells instead of 2"));
    CHECK(has(refusal([] { jobs::parse_csv("", "f.csv"); }), "the file is empty"));
    CHECK(has(refusal([] { jobs::parse_csv("a,a\n1,2\n", "f.csv"); }), "two columns are named 'a'"));
    CHECK(has(refusal([] { jobs::parse_csv("a\n\"open\n", "f.csv"); }), "has no end"));
}

TEST_CASE("table: words and endings") {
    CHECK(jobs::table_format("parquet") == jobs::TableFormat::kParquet);
    CHECK(has(refusal([] { jobs::table_format("xlsx"); }), "csv, feather or parquet"));
    CHECK(has(refusal([] { jobs::table_format_of("t.xlsx"); }), ".parquet"));
    CHECK(has(refusal([] { jobs::read_table("/no/such.csv"); }), "no_such_input"));
}
