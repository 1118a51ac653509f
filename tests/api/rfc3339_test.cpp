#include "api/rfc3339.h"

#include <doctest/doctest.h>

#include "api/nearest.h"
#include "tests/support/fixed_zones.h"

using namespace nightshift;
using namespace nightshift::api;

TEST_CASE("rfc3339: forms of one instant") {
    const UnixMs at = tests::utc(2026, 11, 21, 13, 0, 0);
    CHECK(format_time(at) == "2026-11-21T13:00:00.000Z");
    CHECK(format_time(UnixMs{at.value + 7}) == "2026-11-21T13:00:00.007Z");
    CHECK(format_time(UnixMs{-1}) == "1969-12-31T23:59:59.999Z");
    for (const char* text :
         {"2026-11-21T13:00:00Z", "2026-11-21t13:00:00z", "2026-11-21T22:00:00+09:00",
          "2026-11-21T08:00:00.000-05:00", "2026-11-21 13:00:00.0Z", "2026-11-22T02:30:00+13:30"}) {
        CAPTURE(text);
        CHECK(parse_time(text) == at);
    }
    CHECK(parse_time("2026-11-21T13:00:00.123456Z") == UnixMs{at.value + 123});
    CHECK(parse_time("2024-02-29T00:00:00Z").has_value());
    for (const char* text :
         {"", "22:00", "2026-11-21", "2026-11-21T13:00:00", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z",
          "2026-11-21T24:00:00Z", "2026-11-21T13:60:00Z", "2026-11-21T13:00:00.Z", "2026-11-21T13:00:00Zx",
          "2026-11-21T13:00:00+25:00", "2026-11-21T13:00:00+0900"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_time(text));
    }
}

TEST_CASE("rfc3339: a clock time is its next occurrence") {
    const tests::FixedZones zones;
    const UnixMs now = tests::utc(2026, 11, 20, 21, 59, 59);
    CHECK(next_clock_time("22:00", zones, now) == tests::utc(2026, 11, 20, 22, 0));
    CHECK(next_clock_time("22:00", zones, tests::utc(2026, 11, 20, 22, 0)) ==
          tests::utc(2026, 11, 21, 22, 0));
    CHECK(next_clock_time("00:00", zones, now) == tests::utc(2026, 11, 21));
    for (const char* text : {"24:00", "22", "22:60", "2:00", "22:00:00", "", "ab:cd"}) {
        CAPTURE(text);
        CHECK_FALSE(next_clock_time(text, zones, now));
    }
}

TEST_CASE("nearest: typos find their word, other words do not") {
    const std::vector<std::string> known{"window", "priority", "time_limit", "vram", "after", "inference"};
    CHECK(nearest("windwo", known) == "window");
    CHECK(nearest("Priorty", known) == "priority");
    CHECK(nearest("timelimit", known) == "time_limit");
    CHECK(nearest("time-limit", known) == "time_limit");
    CHECK(nearest("infer", known) == "inference");
    CHECK(nearest("colour", known) == "");
    CHECK(nearest("", known) == "");
    CHECK(nearest(std::string(100'000, 'x'), known) == "");
    CHECK(did_you_mean("vran", known) == "Did you mean \"vram\"?");
    CHECK(did_you_mean("colour", {"a", "b"}) == "Known: a, b.");
}
