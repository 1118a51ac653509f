#include "scheduler/cron.h"

#include <doctest/doctest.h>

#include "tests/support/fixed_zones.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

const FixedZones kZones;

std::optional<UnixMs> next(const char* text, UnixMs after, const char* zone = "UTC") {
    const auto fire = next_fire(parse_cron(text).value(), zone, kZones, after);
    if (!fire) return std::nullopt;
    return fire->at;
}

}  // namespace

TEST_CASE("cron: names, ranges, steps, lists and words") {
    const auto cron = parse_cron("*/15 8-18/5 1,15 jan-mar MON-fri").value();
    CHECK(cron.minutes == ((1ull << 0) | (1ull << 15) | (1ull << 30) | (1ull << 45)));
    CHECK(cron.hours == ((1u << 8) | (1u << 13) | (1u << 18)));
    CHECK(cron.days == ((1u << 1) | (1u << 15)));
    CHECK(cron.months == 0b1110);
    CHECK(cron.weekdays == 0b0111110);
    CHECK(cron.is_day_restricted);
    CHECK(cron.is_weekday_restricted);
    CHECK(parse_cron("0 0 * * 7").value().weekdays == 1);
    CHECK(parse_cron("0 0 * * sat-sun").value().weekdays == 0b1000001);
    CHECK(parse_cron("0 0 * * 5-7").value().weekdays == 0b1100001);
    CHECK(parse_cron("@daily").value().hours == 1);
    CHECK(parse_cron(" @Weekly ").value().weekdays == 1);
    CHECK(parse_cron("@annually").value().months == 0b10);
}

TEST_CASE("cron: what is not cron is refused with the field's name") {
    for (const char* text :
         {"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *",
          "* * * * 8", "*/0 * * * *", "5-1 * * * *", "a * * * *", "@never", "1,,2 * * * *", "1- * * * *",
          "5/15 * * * *", "*/99 * * * *", "-1 * * * *"}) {
        CAPTURE(text);
        const auto cron = parse_cron(text);
        REQUIRE_FALSE(cron.has_value());
        CHECK(cron.error().reason == "bad_cron");
        CHECK_FALSE(cron.error().hint.empty());
    }
    CHECK_FALSE(parse_cron(std::string(300, '*')).has_value());
}

TEST_CASE("cron: the next fire is strictly later") {
    CHECK(next("0 22 * * mon-fri", utc(2026, 11, 20, 12)) == utc(2026, 11, 20, 22));
    CHECK(next("0 22 * * mon-fri", utc(2026, 11, 20, 22)) == utc(2026, 11, 23, 22));
    CHECK(next("* * * * *", utc(2026, 11, 20, 22, 0, 30)) == utc(2026, 11, 20, 22, 1));
    CHECK(next("0 22 * * *", utc(2026, 11, 20, 12), "Asia/Seoul") == utc(2026, 11, 20, 13));
}

TEST_CASE("cron: two restricted day fields match either, a star needs both") {
    // crontab(5): the 13th or a Friday.
    CHECK(next("0 0 13 * fri", utc(2026, 11, 1)) == utc(2026, 11, 6));
    CHECK(next("0 0 13 * fri", utc(2026, 12, 12)) == utc(2026, 12, 13));
    // "*/2" begins with a star: every odd date that is a Friday.
    CHECK(next("0 0 */2 * fri", utc(2026, 11, 1)) == utc(2026, 11, 13));
}

TEST_CASE("cron: rare dates are found and impossible ones given up") {
    CHECK(next("0 0 29 2 *", utc(2026, 11, 20)) == utc(2028, 2, 29));
    CHECK(next("0 0 29 2 *", utc(2097, 1, 1)) == utc(2104, 2, 29));
    CHECK_FALSE(next("0 0 31 2 *", utc(2026, 11, 20)).has_value());
    CHECK(next("59 23 31 12 *", utc(2026, 12, 31, 23, 59)) == utc(2027, 12, 31, 23, 59));
}

TEST_CASE("cron: a time in the gap fires at its end, once") {
    const auto cron = parse_cron("30 2 * * *").value();
    const auto fire = next_fire(cron, "Europe/Berlin", kZones, utc(2026, 3, 28, 12));
    REQUIRE(fire.has_value());
    CHECK(fire->at == utc(2026, 3, 29, 1));  // 03:00 CEST
    CHECK(fire->note == "02:30 does not exist on this day (clocks go forward); fires at 03:00 instead");
    CHECK(next("30 2 * * *", fire->at, "Europe/Berlin") == utc(2026, 3, 30, 0, 30));
}

TEST_CASE("cron: several fires in one gap collapse into one") {
    int count = 0;
    for (UnixMs at = utc(2026, 3, 29, 0, 59); count < 10; ++count) {
        const auto fire = next("*/10 2 * * *", at, "Europe/Berlin");
        REQUIRE(fire.has_value());
        if (*fire > utc(2026, 3, 29, 12)) break;
        CHECK(*fire == utc(2026, 3, 29, 1));
        at = *fire;
    }
    CHECK(count == 1);
}

TEST_CASE("cron: a repeated time fires once, at its first occurrence") {
    const auto cron = parse_cron("30 2 * * *").value();
    const auto fire = next_fire(cron, "Europe/Berlin", kZones, utc(2026, 10, 24, 12));
    REQUIRE(fire.has_value());
    CHECK(fire->at == utc(2026, 10, 25, 0, 30));
    CHECK(fire->note.find("comes twice") != std::string::npos);
    CHECK(next("30 2 * * *", fire->at, "Europe/Berlin") == utc(2026, 10, 26, 1, 30));
    // Asked from inside the second occurrence of the hour.
    CHECK(next("30 2 * * *", utc(2026, 10, 25, 1, 15), "Europe/Berlin") == utc(2026, 10, 26, 1, 30));
}

TEST_CASE("cron: midnights and days that do not exist") {
    CHECK(next("0 0 * * *", utc(2026, 10, 17, 12), "Test/Midnight") == utc(2026, 10, 18, 3));  // 01:00 local
    CHECK(next("0 12 30 12 *", utc(2026, 12, 29), "Test/Samoa") ==
          utc(2026, 12, 30, 10));  // first instant of the 31st
}

TEST_CASE("cron: agrees with a walk over every minute") {
    for (const char* zone : {"UTC", "Europe/Berlin", "Asia/Seoul", "Test/Midnight"}) {
        for (const char* text :
             {"*/7 * * * *", "5 4 * * sun", "0 0,12 1-7 * mon", "15 2,3 * * *", "30 0 * * *"}) {
            const auto cron = parse_cron(text).value();
            const auto matches = [&cron](const LocalTime& local) {
                const bool is_date = cron.days >> local.day & 1;
                const bool is_weekday = cron.weekdays >> ((local.weekday + 1) % 7) & 1;
                const bool is_either = cron.is_day_restricted && cron.is_weekday_restricted;
                return (cron.minutes >> (local.minute % 60) & 1) && (cron.hours >> (local.minute / 60) & 1) &&
                       (cron.months >> local.month & 1) &&
                       (is_either ? is_date || is_weekday : is_date && is_weekday);
            };
            const UnixMs start = utc(2026, 10, 14);
            std::vector<UnixMs> expected;
            for (UnixMs at = start + minutes(1); at < start + hours(24 * 14); at = at + minutes(1)) {
                const LocalTime local = kZones.to_local(zone, at);
                const LocalTime before = kZones.to_local(zone, at - minutes(1));
                bool fires = matches(local) && kZones.to_instant(zone, local) == at;
                // Local minutes that were skipped just before this instant.
                const bool is_jump =
                    (local.minute - before.minute + 1440) % 1440 > 1 && local.minute > before.minute;
                const int skipped_from = before.minute == 1439 ? 0 : before.minute + 1;
                const bool is_midnight_jump = before.minute == 1439 && local.minute > 0;
                for (int m = skipped_from; (is_jump || is_midnight_jump) && m < local.minute; ++m) {
                    LocalTime skipped = local;
                    skipped.minute = m;
                    fires = fires || matches(skipped);
                }
                if (fires) expected.push_back(at);
            }
            UnixMs at = start;
            for (const UnixMs want : expected) {
                const auto fire = next_fire(cron, zone, kZones, at);
                CAPTURE(zone);
                CAPTURE(text);
                CAPTURE(utc_text(want));
                REQUIRE(fire.has_value());
                CHECK(utc_text(fire->at) == utc_text(want));
                at = fire->at;
            }
        }
    }
}
