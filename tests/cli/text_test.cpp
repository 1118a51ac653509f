#include "daemon/cli/text.h"

#include <doctest/doctest.h>

namespace nightshift::cli {

TEST_CASE("text: Korean takes two columns, marks and joiners none") {
    CHECK(display_width("night") == 5);
    CHECK(display_width("밤 근무") == 7);
    CHECK(display_width("e\u0301") == 1);
    CHECK(display_width("\xff\xfe") == 2);
    CHECK(pad_right("밤", 4) == "밤  ");
    CHECK(pad_left("밤", 4) == "  밤");
    CHECK(pad_right("longer", 3) == "longer");
}

TEST_CASE("text: what is cut ends in an ellipsis and fits") {
    CHECK(shorten("0123456789", 5) == "0123…");
    CHECK(shorten("밤밤밤밤", 5) == "밤밤…");
    CHECK(display_width(shorten("밤밤밤밤", 4)) <= 4);
    CHECK(shorten("short", 5) == "short");
}

TEST_CASE("text: escape sequences of a log never reach the terminal") {
    CHECK(harmless("\x1b[2J\x1b]52;c;Zm9v\x07") == "\\x1b[2J\\x1b]52;c;Zm9v\\x07");
    CHECK(harmless("a\tb") == "a\tb");
    CHECK(harmless("\u202etxt.exe") == "\\u202etxt.exe");
    CHECK(harmless("\u0085") == "\\x85");
    CHECK(harmless("bad \xff byte") == "bad \\xff byte");
    CHECK(harmless("\xed\xa0\x80") == "\\xed\\xa0\\x80");
    CHECK(harmless("line\nline") == "line\\x0aline");
    CHECK(harmless("밤\n", true) == "밤\n");
    SUBCASE("a progress bar's carriage returns become lines, so that nothing is overwritten") {
        CHECK(harmless("10%\r20%\r\n", true) == "10%\n20%\n");
        CHECK(harmless("10%\r20%") == "10%\\x0d20%");
    }
}

TEST_CASE("text: RFC 3339 times with and without an offset") {
    CHECK(unix_ms("1970-01-01T00:00:00.000Z") == 0);
    CHECK(unix_ms("2026-11-21T13:00:00.250Z") == 1795266000250);
    CHECK(unix_ms("2026-11-21T22:00:00+09:00") == unix_ms("2026-11-21T13:00:00Z"));
    CHECK(unix_ms("2026-02-30T00:00:00Z") == -1);
    CHECK(unix_ms("tomorrow") == -1);
    CHECK(unix_ms("") == -1);
}

}  // namespace nightshift::cli
