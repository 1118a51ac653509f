// Cron, windows and zones against a brute-force oracle that walks every minute.
#include "scheduler/calendar.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "daemon/time_zones.h"
#include "scheduler/cron.h"
#include "tests/daemon/calendar_oracle.h"

using namespace nightshift;
using namespace nightshift::daemon;
using namespace nightshift::tests;

namespace {

UnixMs year(int number) {
    static const SystemTimeZones zones;
    LocalTime local;
    local.year = number;
    return zones.to_instant("UTC", local);
}

struct Case {
    const char* cron;
    CalendarOracle::Matches matches;
};

bool is_one_of(int value, std::initializer_list<int> values) {
    return std::find(values.begin(), values.end(), value) != values.end();
}

const std::array<Case, 10> kCases{{
    {"30 0 * * *", [](const std::tm& t) { return t.tm_hour == 0 && t.tm_min == 30; }},
    {"0 2 * * *", [](const std::tm& t) { return t.tm_hour == 2 && t.tm_min == 0; }},
    {"30 2 * * *", [](const std::tm& t) { return t.tm_hour == 2 && t.tm_min == 30; }},
    {"0 3 * * *", [](const std::tm& t) { return t.tm_hour == 3 && t.tm_min == 0; }},
    {"@hourly", [](const std::tm& t) { return t.tm_min == 0; }},
    {"*/15 * * * *", [](const std::tm& t) { return t.tm_min % 15 == 0; }},
    {"@daily", [](const std::tm& t) { return t.tm_hour == 0 && t.tm_min == 0; }},
    {"0 22 * * mon-fri",
     [](const std::tm& t) { return t.tm_hour == 22 && t.tm_min == 0 && t.tm_wday >= 1 && t.tm_wday <= 5; }},
    {"15 1,2 13 * fri",
     [](const std::tm& t) {
         return is_one_of(t.tm_hour, {1, 2}) && t.tm_min == 15 && (t.tm_mday == 13 || t.tm_wday == 5);
     }},
    {"5-20/5 0-3 29 2,3 *",
     [](const std::tm& t) {
         return is_one_of(t.tm_min, {5, 10, 15, 20}) && t.tm_hour <= 3 && t.tm_mday == 29 &&
                is_one_of(t.tm_mon, {1, 2});
     }},
}};

std::vector<UnixMs> product_fires(const std::string& zone, const Cron& cron, UnixMs from, UnixMs to) {
    static const SystemTimeZones zones;
    std::vector<UnixMs> found;
    UnixMs at = from - Millis{1};
    while (const auto fire = next_fire(cron, zone, zones, at)) {
        if (fire->at >= to) break;
        at = fire->at;
        found.push_back(at);
    }
    return found;
}

/// The first difference, readable; empty when they agree.
std::string difference(const std::vector<UnixMs>& ours, const std::vector<UnixMs>& right) {
    for (std::size_t i = 0; i < std::max(ours.size(), right.size()); ++i) {
        if (i < ours.size() && i < right.size() && ours[i] == right[i]) continue;
        const auto text = [i](const std::vector<UnixMs>& times) {
            return i < times.size() ? std::to_string(times[i].value) : std::string("none");
        };
        return "fire " + std::to_string(i) + ": " + text(ours) + " instead of " + text(right);
    }
    return "";
}

void compare(const std::string& zone, int from, int to) {
    CAPTURE(zone);
    CAPTURE(from);
    const CalendarOracle oracle(zone, year(from), year(to));
    for (const Case& c : kCases) {
        CAPTURE(c.cron);
        const auto right = oracle.fires(c.matches);
        CHECK(right.size() > 1);
        CHECK(difference(product_fires(zone, *parse_cron(c.cron), year(from), year(to)), right) == "");
    }
}

/// Longer stretches and more zones when there is time.
bool is_long() {
    return std::getenv("NIGHTSHIFT_LONG") != nullptr;
}

}  // namespace

TEST_CASE("calendar: every zone with odd rules, against every minute of its odd years") {
    compare("Europe/Berlin", 2026, 2028);
    compare("America/New_York", 2026, 2028);
    compare("America/Santiago", 2022, 2024);
    compare("Australia/Lord_Howe", 2026, 2028);  // half an hour
    compare("Africa/Casablanca", 2026, 2028);    // off for Ramadan
    compare("Asia/Tehran", 2021, 2023);          // abolished in 2022, changes at midnight
    compare("Pacific/Apia", 2011, 2013);         // without 30 December 2011
    compare("Asia/Seoul", 2026, 2028);
    compare("UTC", 2026, 2028);
}

TEST_CASE("calendar: after 2037, where the tables end") {
    compare("Europe/Berlin", 2037, 2040);
    compare("America/New_York", 2038, 2040);
    compare("Australia/Lord_Howe", 2098, 2100);
}

TEST_CASE("calendar: ten years at a stretch") {
    std::vector<const char*> zones{"Europe/Berlin"};
    if (is_long()) zones = {"Europe/Berlin", "America/Santiago", "Africa/Casablanca", "Australia/Lord_Howe"};
    for (const char* zone : zones) {
        CAPTURE(zone);
        const CalendarOracle oracle(zone, year(2026), year(2036));
        const std::size_t count = is_long() ? kCases.size() : 3;
        for (std::size_t i = 0; i < count; ++i) {
            const Case& c = kCases[is_long() ? i : std::array<std::size_t, 3>{2, 5, 8}[i]];
            CAPTURE(c.cron);
            const auto right = oracle.fires(c.matches);
            CHECK(difference(product_fires(zone, *parse_cron(c.cron), year(2026), year(2036)), right) == "");
        }
    }
}

TEST_CASE("calendar: windows across midnight, across changes of the clock, overlapping, all day") {
    struct WindowCase {
        std::vector<const char*> rules;
        std::vector<CalendarOracle::Rule> right;
    };
    const std::vector<int> daily{0, 1, 2, 3, 4, 5, 6};
    const std::vector<WindowCase> cases{
        {{"daily 22:00-06:00"}, {{daily, 1320, 360}}},
        {{"daily 02:00-03:00"}, {{daily, 120, 180}}},
        {{"daily 02:15-02:45"}, {{daily, 135, 165}}},
        {{"daily 00:00-24:00"}, {{daily, 0, 1440}}},
        {{"daily 05:00-05:00"}, {{daily, 300, 300}}},  // to the same time of the next day
        {{"mon-fri 22:00-06:00", "sat,sun 00:00-24:00"}, {{{1, 2, 3, 4, 5}, 1320, 360}, {{6, 0}, 0, 1440}}},
        {{"sat 20:00-04:00", "sun 01:00-05:00"}, {{{6}, 1200, 240}, {{0}, 60, 300}}},
        {{"fri 23:30-00:30"}, {{{5}, 1410, 30}}},
    };
    struct Stretch {
        const char* zone;
        int from;
    };
    const SystemTimeZones zones;
    for (const Stretch& stretch : {Stretch{"Europe/Berlin", 2026}, Stretch{"America/Santiago", 2022},
                                   Stretch{"Australia/Lord_Howe", 2026}, Stretch{"Asia/Tehran", 2021},
                                   Stretch{"Pacific/Apia", 2011}, Stretch{"Europe/Berlin", 2040}}) {
        const UnixMs from = year(stretch.from);
        const UnixMs to = year(stretch.from + 1);
        const CalendarOracle oracle(stretch.zone, from, to);
        for (const WindowCase& c : cases) {
            CAPTURE(stretch.zone);
            CAPTURE(c.rules.front());
            Window window{"w", stretch.zone, {}};
            for (const char* rule : c.rules) window.rules.push_back(*parse_window_rule(rule));
            const auto right = oracle.open_minutes(c.right);
            std::vector<OpenStretch> open;
            int wrong = 0;
            for (std::size_t i = 0; i < right.size(); ++i) {
                const UnixMs at = from + minutes(static_cast<std::int64_t>(i));
                if (i % 1440 == 0) open = open_stretches(window, zones, at);
                const bool is_open = std::any_of(open.begin(), open.end(), [at](const OpenStretch& s) {
                    return s.from <= at && at < s.to;
                });
                wrong += is_open != right[i];
            }
            CHECK(wrong == 0);
        }
    }
}

TEST_CASE("calendar: the clock jumps: no burst, at most one catch-up, nothing twice") {
    const SystemTimeZones zones;
    Schedule schedule;
    schedule.cron = *parse_cron("*/10 * * * *");
    schedule.timezone = "Europe/Berlin";
    for (const MissedPolicy missed : {MissedPolicy::kOnce, MissedPolicy::kSkip, MissedPolicy::kAll}) {
        schedule.missed = missed;
        schedule.overlap = OverlapPolicy::kQueue;
        for (const Millis jump : {seconds(1), seconds(-1), hours(1), hours(-1), hours(24), hours(-24),
                                  hours(24 * 365 * 12), hours(-24 * 365 * 56)}) {
            CAPTURE(jump.value);
            UnixMs now = year(2026) + minutes(5);
            schedule.next_fire_at = next_fire(schedule.cron, schedule.timezone, zones, now)->at;
            std::vector<UnixMs> decided;
            int runs = 0;
            int most_at_once = 0;
            for (int tick = 0; tick < 120; ++tick) {
                now = now + (tick == 40 ? jump : minutes(1));
                int here = 0;
                for (const FireDecision& decision : due_fires(schedule, zones, now, 0)) {
                    // What the store would refuse as decided before does not run.
                    if (std::find(decided.begin(), decided.end(), decision.nominal) != decided.end())
                        continue;
                    decided.push_back(decision.nominal);
                    here += decision.run;
                }
                runs += here;
                most_at_once = std::max(most_at_once, here);
                if (schedule.next_fire_at && *schedule.next_fire_at <= now) {
                    schedule.next_fire_at = next_fire(schedule.cron, schedule.timezone, zones, now)->at;
                }
            }
            CHECK(most_at_once <= (missed == MissedPolicy::kAll ? 24 : 1));
            if (jump.value > 0) CHECK(runs >= 11);
        }
    }
}
