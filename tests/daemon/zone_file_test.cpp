#include "daemon/zone_file.h"

#include <date/tz.h>
#include <doctest/doctest.h>

#include <string>

#include "daemon/paths.h"

using namespace nightshift::daemon;

namespace {

constexpr const char* kZones[] = {
    "Asia/Seoul",   "Europe/Berlin",       "America/New_York",  "America/Santiago", "Asia/Tehran",
    "Pacific/Apia", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu",   "Europe/Dublin",
    "UTC"};
constexpr std::int64_t kHour_s = 3600;

std::string content_of(const std::string& zone) {
    const auto content = read_file("/usr/share/zoneinfo/" + zone, 1 << 20);
    REQUIRE(content);
    return *content;
}

std::int64_t at_start_of(int year) {
    return date::sys_seconds(date::sys_days(date::year(year) / 1 / 1)).time_since_epoch().count();
}

}  // namespace

TEST_CASE("zone file: every hour of the years that matter, as the library reads the same file") {
    for (const char* name : kZones) {
        CAPTURE(name);
        const auto zone = ZoneFile::parse(content_of(name));
        REQUIRE(zone);
        const date::time_zone* known = date::locate_zone(name);
        int offsets = 0, kinds = 0, changes = 0;
        for (std::int64_t at = at_start_of(2000); at < at_start_of(2037); at += kHour_s) {
            const date::sys_seconds instant{std::chrono::seconds(at)};
            offsets += zone->offset_at(at) != known->get_info(instant).offset.count();
            const date::local_info info = known->get_info(date::local_seconds{std::chrono::seconds(at)});
            const LocalOffset found = zone->at_local(at);
            using Kind = LocalOffset::Kind;
            const Kind kind = info.result == date::local_info::nonexistent ? Kind::kGap
                              : info.result == date::local_info::ambiguous ? Kind::kRepeated
                                                                           : Kind::kUnique;
            kinds += found.kind != kind || found.offset_s != info.first.offset.count();
            changes += kind == Kind::kGap && found.change_at_s != info.first.end.time_since_epoch().count();
        }
        CHECK(offsets == 0);
        CHECK(kinds == 0);
        CHECK(changes == 0);
    }
}

TEST_CASE("zone file: the rule of the footer holds after the last change that is listed") {
    const auto berlin = ZoneFile::parse(content_of("Europe/Berlin"));
    REQUIRE(berlin);
    const std::int64_t july_2150 = at_start_of(2150) + 181 * 24 * kHour_s;
    CHECK(berlin->offset_at(at_start_of(2150)) == kHour_s);
    CHECK(berlin->offset_at(july_2150) == 2 * kHour_s);
    CHECK(berlin->at_local(july_2150).offset_s == 2 * kHour_s);
}

TEST_CASE("zone file: before its first change the first type holds") {
    const auto seoul = ZoneFile::parse(content_of("Asia/Seoul"));
    REQUIRE(seoul);
    CHECK(seoul->offset_at(at_start_of(1800)) == 8 * kHour_s + 27 * 60 + 52);
    CHECK(seoul->at_local(at_start_of(1800)).offset_s == 8 * kHour_s + 27 * 60 + 52);
}

TEST_CASE("zone file: what is not whole is none") {
    const std::string whole = content_of("America/New_York");
    CHECK_FALSE(ZoneFile::parse(""));
    CHECK_FALSE(ZoneFile::parse("Asia/Seoul is a link"));
    // The footer may be missing; all before it may not.
    const std::size_t footer = whole.rfind('\n', whole.size() - 2);
    for (std::size_t size = 0; size < footer; size += 7) {
        CAPTURE(size);
        CHECK_FALSE(ZoneFile::parse(whole.substr(0, size)));
    }
    std::string huge = whole;
    huge[32] = '\x7f';  // the number of changes
    CHECK_FALSE(ZoneFile::parse(huge));
}

TEST_CASE("zone file: two files that say the same are equal, whoever wrote them") {
    CHECK(*ZoneFile::parse(content_of("Asia/Seoul")) == *ZoneFile::parse(content_of("Asia/Seoul")));
    CHECK(*ZoneFile::parse(content_of("Asia/Seoul")) != *ZoneFile::parse(content_of("Asia/Tokyo")));
    CHECK(*ZoneFile::parse(content_of("Europe/Berlin")) != *ZoneFile::parse(content_of("Europe/Dublin")));
}
