#include "daemon/time_zones.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <string>

using namespace nightshift;
using namespace nightshift::daemon;

namespace {

LocalTime at(int year, int month, int day, int hour, int minute) {
    LocalTime local;
    local.year = year;
    local.month = month;
    local.day = day;
    local.minute = hour * 60 + minute;
    return local;
}

std::string text(const LocalTime& local) {
    char line[40];
    std::snprintf(line, sizeof line, "%04d-%02d-%02d %02d:%02d:%02d", local.year, local.month, local.day,
                  local.minute / 60, local.minute % 60, local.second);
    return line;
}

/// UTC as a zone, to write instants readably.
UnixMs utc(int year, int month, int day, int hour, int minute) {
    static const SystemTimeZones zones;
    return zones.to_instant("UTC", at(year, month, day, hour, minute));
}

}  // namespace

TEST_CASE("zones: known and unknown names") {
    const SystemTimeZones zones;
    CHECK(zones.knows("Asia/Seoul"));
    CHECK(zones.knows("UTC"));
    CHECK_FALSE(zones.knows("Asia/Soul"));
    CHECK_FALSE(zones.knows("../../etc/passwd"));
    CHECK_FALSE(zones.knows("/etc/localtime"));
    CHECK(zones.knows(""));
}

TEST_CASE("zones: Seoul is nine hours ahead, in every year") {
    const SystemTimeZones zones;
    for (const int year : {2026, 2037, 2038, 2100}) {
        CHECK(text(zones.to_local("Asia/Seoul", utc(year, 7, 1, 13, 0))) ==
              std::to_string(year) + "-07-01 22:00:00");
        CHECK(zones.to_instant("Asia/Seoul", at(year, 7, 1, 22, 0)) == utc(year, 7, 1, 13, 0));
    }
}

TEST_CASE("zones: daylight saving goes on after 2037, where the tables end") {
    const SystemTimeZones zones;
    for (const int year : {2026, 2036, 2037, 2038, 2050, 2099}) {
        CAPTURE(year);
        const std::string y = std::to_string(year);
        CHECK(text(zones.to_local("Europe/Berlin", utc(year, 7, 1, 12, 0))) == y + "-07-01 14:00:00");
        CHECK(text(zones.to_local("Europe/Berlin", utc(year, 1, 15, 12, 0))) == y + "-01-15 13:00:00");
        CHECK(text(zones.to_local("America/New_York", utc(year, 7, 1, 12, 0))) == y + "-07-01 08:00:00");
        CHECK(text(zones.to_local("Australia/Sydney", utc(year, 1, 15, 12, 0))) == y + "-01-15 23:00:00");
        CHECK(text(zones.to_local("Australia/Sydney", utc(year, 7, 1, 12, 0))) == y + "-07-01 22:00:00");
    }
    // The last Sunday of March 2040 is the 25th.
    CHECK(text(zones.to_local("Europe/Berlin", utc(2040, 3, 25, 0, 59))) == "2040-03-25 01:59:00");
    CHECK(text(zones.to_local("Europe/Berlin", utc(2040, 3, 25, 1, 0))) == "2040-03-25 03:00:00");
}

TEST_CASE("zones: a local time in a gap is the first instant after it; a repeated one its first") {
    const SystemTimeZones zones;
    for (const int year : {2027, 2040}) {
        const int spring = year == 2027 ? 28 : 25;
        const int autumn = year == 2027 ? 31 : 28;
        CAPTURE(year);
        CHECK(zones.is_in_gap("Europe/Berlin", at(year, 3, spring, 2, 30)));
        CHECK(zones.to_instant("Europe/Berlin", at(year, 3, spring, 2, 30)) == utc(year, 3, spring, 1, 0));
        CHECK_FALSE(zones.is_in_gap("Europe/Berlin", at(year, 3, spring, 3, 0)));
        CHECK(zones.is_repeated("Europe/Berlin", at(year, 10, autumn, 2, 30)));
        CHECK(zones.to_instant("Europe/Berlin", at(year, 10, autumn, 2, 30)) == utc(year, 10, autumn, 0, 30));
        CHECK_FALSE(zones.is_repeated("Europe/Berlin", at(year, 10, autumn, 3, 0)));
    }
}

TEST_CASE("zones: midnight of the next day, weekdays, and half-hour offsets") {
    const SystemTimeZones zones;
    CHECK(zones.to_instant("Asia/Seoul", at(2026, 12, 31, 24, 0)) == utc(2026, 12, 31, 15, 0));
    CHECK(zones.to_local("Asia/Seoul", utc(2026, 11, 20, 14, 59)).weekday == 4);
    CHECK(zones.to_local("Asia/Seoul", utc(2026, 11, 20, 15, 0)).weekday == 5);
    CHECK(text(zones.to_local("Asia/Kolkata", utc(2026, 1, 1, 0, 0))) == "2026-01-01 05:30:00");
    CHECK(text(zones.to_local("Australia/Lord_Howe", utc(2045, 7, 1, 0, 0))) == "2045-07-01 10:30:00");
    CHECK(text(zones.to_local("UTC", UnixMs{-1})) == "1969-12-31 23:59:59");
}
