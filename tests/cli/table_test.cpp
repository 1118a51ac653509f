#include "daemon/cli/table.h"

#include <doctest/doctest.h>

namespace nightshift::cli {

namespace {

Table jobs() {
    Table table;
    table.columns = {{"ID", Align::kRight, false, 0},
                     {"NAME", Align::kLeft, false, 6},
                     {"NOTE", Align::kLeft, true, 0},
                     {"STATE", Align::kLeft, false, 0}};
    table.rows = {{"7", "밤샘 학습", "x", "running"}, {"12", "a", "y", ""}};
    return table;
}

}  // namespace

TEST_CASE("table: columns stay aligned with Korean in them") {
    CHECK(to_text(jobs(), Format::kText) ==
          "ID  NAME    STATE\n"
          " 7  밤샘 …  running\n"
          "12  a\n");
}

TEST_CASE("table: wide shows every column uncut") {
    CHECK(to_text(jobs(), Format::kWide) ==
          "ID  NAME       NOTE  STATE\n"
          " 7  밤샘 학습  x     running\n"
          "12  a          y\n");
}

TEST_CASE("table: a name with an escape sequence is shown, not obeyed") {
    Table table;
    table.columns = {{"NAME"}};
    table.rows = {{"\x1b[31mred"}};
    CHECK(to_text(table, Format::kText) == "NAME\n\\x1b[31mred\n");
}

TEST_CASE("csv: quotes what has to be, and disarms formulas") {
    Table table;
    table.columns = {{"NAME"}, {"STATE"}};
    table.rows = {{"say \"hi\", now", "running"}, {"=cmd|' /C calc'!A0", "-1"}, {"two\nlines"}};
    CHECK(to_csv(table) ==
          "NAME,STATE\r\n"
          "\"say \"\"hi\"\", now\",running\r\n"
          "'=cmd|' /C calc'!A0,'-1\r\n"
          "\"two\nlines\",\r\n");
}

}  // namespace nightshift::cli
