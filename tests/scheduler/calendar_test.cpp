#include "scheduler/calendar.h"

#include <doctest/doctest.h>

#include "tests/support/fixed_zones.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

const FixedZones kZones;

Window window(const std::string& zone, std::initializer_list<const char*> rules) {
    Window w;
    w.name = "w";
    w.timezone = zone;
    for (const char* rule : rules) w.rules.push_back(parse_window_rule(rule).value());
    return w;
}

}  // namespace

TEST_CASE("calendar: rules name days and a time range") {
    const auto nights = parse_window_rule("mon-fri 22:00-06:00").value();
    CHECK(nights.days == 0b0011111);
    CHECK(nights.start_minute == 22 * 60);
    CHECK(nights.end_minute == 6 * 60);
    CHECK(parse_window_rule("sat,sun 00:00-24:00").value().days == 0b1100000);
    CHECK(parse_window_rule("sat-sun 00:00-24:00").value().end_minute == 1440);
    CHECK(parse_window_rule("Daily 8:00-19:00").value().days == 0b1111111);
    CHECK(parse_window_rule("fri-mon 00:00-00:00").value().days == 0b1110001);
    CHECK(parse_window_rule("fri-mon 00:00-00:00").value().end_minute == 1440);
}

TEST_CASE("calendar: a rule that is not understood names the part") {
    for (const char* text : {"", "mon-fri", "mon-fri 22-06", "mun-fri 22:00-06:00", "mon-fri 25:00-06:00",
                             "mon-fri 22:60-06:00", "mon-fri 24:00-06:00", "mon-fri 22:00-06:00 x",
                             "mon, 1:00-2:00", "mon 1:0-2:00", "mon 22:00", "mon -"}) {
        CAPTURE(text);
        const auto rule = parse_window_rule(text);
        REQUIRE_FALSE(rule.has_value());
        CHECK(rule.error().reason == "bad_window");
        CHECK_FALSE(rule.error().hint.empty());
    }
}

TEST_CASE("calendar: a window belongs to the day on which it opens") {
    const Window w = window("UTC", {"fri 22:00-06:00"});
    CHECK_FALSE(is_open(w, kZones, utc(2026, 11, 20, 21, 59)));
    CHECK(is_open(w, kZones, utc(2026, 11, 20, 22)));
    CHECK(is_open(w, kZones, utc(2026, 11, 21, 5, 59)));  // Saturday morning, opened on Friday
    CHECK_FALSE(is_open(w, kZones, utc(2026, 11, 21, 6)));
    CHECK_FALSE(is_open(w, kZones, utc(2026, 11, 21, 22)));
    CHECK_FALSE(is_open(w, kZones, utc(2026, 11, 20, 3)));  // Friday morning belongs to Thursday
}

TEST_CASE("calendar: openings and closings are found") {
    const Window w = window("Asia/Seoul", {"mon-fri 22:00-06:00"});
    const UnixMs noon = utc(2026, 11, 20, 3);  // Friday 12:00 in Seoul
    CHECK(next_open(w, kZones, noon) == utc(2026, 11, 20, 13));
    CHECK_FALSE(close_of(w, kZones, noon).has_value());
    CHECK(close_of(w, kZones, utc(2026, 11, 20, 14)) == utc(2026, 11, 20, 21));
    // From inside: the next opening is Monday's, not the one that is under way.
    CHECK(next_open(w, kZones, utc(2026, 11, 20, 14)) == utc(2026, 11, 23, 13));
    CHECK(next_open(w, kZones, utc(2026, 11, 20, 13)) == utc(2026, 11, 23, 13));
}

TEST_CASE("calendar: adjacent rules are one stretch") {
    const Window w = window("UTC", {"mon-fri 22:00-06:00", "sat-sun 00:00-24:00"});
    // Friday 22:00 runs through the weekend until Sunday 24:00.
    CHECK(close_of(w, kZones, utc(2026, 11, 20, 23)) == utc(2026, 11, 23, 0));
    CHECK(next_open(w, kZones, utc(2026, 11, 21, 12)) == utc(2026, 11, 23, 22));
}

TEST_CASE("calendar: an always open window never closes, an empty one never opens") {
    const Window always = window("UTC", {"daily 00:00-24:00"});
    CHECK(is_open(always, kZones, utc(2026, 11, 20, 12)));
    CHECK_FALSE(close_of(always, kZones, utc(2026, 11, 20, 12)).has_value());
    CHECK_FALSE(next_open(always, kZones, utc(2026, 11, 20, 12)).has_value());
    const Window never = window("UTC", {});
    CHECK_FALSE(is_open(never, kZones, utc(2026, 11, 20, 12)));
    CHECK_FALSE(next_open(never, kZones, utc(2026, 11, 20, 12)).has_value());
}

TEST_CASE("calendar: daylight saving shortens and lengthens a night") {
    const Window w = window("Europe/Berlin", {"daily 22:00-06:00"});
    // Night to 29 March 2026: 7 hours. 22:00 CET = 21:00 UTC, 06:00 CEST = 04:00 UTC.
    CHECK(next_open(w, kZones, utc(2026, 3, 28, 12)) == utc(2026, 3, 28, 21));
    CHECK(close_of(w, kZones, utc(2026, 3, 28, 22)) == utc(2026, 3, 29, 4));
    // Night to 25 October 2026: 9 hours.
    CHECK(next_open(w, kZones, utc(2026, 10, 24, 12)) == utc(2026, 10, 24, 20));
    CHECK(close_of(w, kZones, utc(2026, 10, 24, 22)) == utc(2026, 10, 25, 5));
}

TEST_CASE("calendar: an edge inside a gap lies at its end, one that repeats at its first occurrence") {
    const Window w = window("Europe/Berlin", {"sun 02:30-05:00"});
    CHECK(next_open(w, kZones, utc(2026, 3, 28, 12)) == utc(2026, 3, 29, 1));        // 03:00 CEST
    CHECK(next_open(w, kZones, utc(2026, 10, 24, 12)) == utc(2026, 10, 25, 0, 30));  // first 02:30
    // A window that lies wholly inside the gap does not open on that day.
    const Window gone = window("Europe/Berlin", {"sun 02:00-03:00"});
    CHECK_FALSE(is_open(gone, kZones, utc(2026, 3, 29, 1)));
    CHECK(next_open(gone, kZones, utc(2026, 3, 28, 12)) == utc(2026, 4, 5, 0));
}

TEST_CASE("calendar: open_stretches agree with is_open minute by minute") {
    for (const char* zone : {"Europe/Berlin", "Test/Midnight", "Test/Samoa", "Asia/Seoul"}) {
        const Window w = window(zone, {"mon-fri 22:00-06:00", "sat 23:00-24:00", "sun 00:00-02:30"});
        for (const UnixMs start :
             {utc(2026, 3, 27), utc(2026, 10, 16), utc(2026, 10, 24), utc(2026, 12, 29)}) {
            for (UnixMs at = start; at < start + hours(72); at = at + minutes(30)) {
                CAPTURE(utc_text(at));
                const auto next = next_open(w, kZones, at);
                const auto close = close_of(w, kZones, at);
                CHECK(is_open(w, kZones, at) == close.has_value());
                REQUIRE(next.has_value());
                CHECK(is_open(w, kZones, *next));
                CHECK_FALSE(is_open(w, kZones, *next - Millis{1}));
                if (close) CHECK_FALSE(is_open(w, kZones, *close));
                if (close) CHECK(is_open(w, kZones, *close - Millis{1}));
            }
        }
    }
}
