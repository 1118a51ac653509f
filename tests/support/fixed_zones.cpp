#include "tests/support/fixed_zones.h"

#include <algorithm>
#include <cstdio>

#include "scheduler/civil_day.h"

namespace nightshift::tests {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;

std::int64_t local_ms_of(const LocalTime& local) {
    return day_of(local).number * kDayMs + std::int64_t{local.minute} * 60'000 + local.second * 1000;
}

}  // namespace

FixedZones::FixedZones() {
    zones_["UTC"] = {Millis{0}, {}};
    zones_[""] = zones_["UTC"];
    zones_["Asia/Seoul"] = {hours(9), {}};
    // Directive 2000/84/EC: last Sunday of March and of October, 01:00 UTC.
    zones_["Europe/Berlin"] = {hours(1),
                               {{utc(2026, 3, 29, 1), hours(2)},
                                {utc(2026, 10, 25, 1), hours(1)},
                                {utc(2027, 3, 28, 1), hours(2)},
                                {utc(2027, 10, 31, 1), hours(1)}}};
    zones_["Test/Midnight"] = {hours(-3), {{utc(2026, 10, 18, 3), hours(-2)}}};
    zones_["Test/Samoa"] = {hours(-10), {{utc(2026, 12, 30, 10), hours(14)}}};
}

Millis FixedZones::offset_at(const Zone& zone, UnixMs at) {
    Millis offset = zone.first_offset;
    for (const Change& change : zone.changes) {
        if (change.at <= at) offset = change.offset;
    }
    return offset;
}

LocalTime FixedZones::to_local(const std::string& name, UnixMs at) const {
    const std::int64_t ms = at.value + offset_at(zone(name), at).value;
    const std::int64_t day = ms >= 0 ? ms / kDayMs : -((-ms + kDayMs - 1) / kDayMs);
    const std::int64_t rest = ms - day * kDayMs;
    LocalTime local = local_on(CivilDay{day}, static_cast<int>(rest / 60'000));
    local.second = static_cast<int>(rest % 60'000 / 1000);
    return local;
}

std::vector<UnixMs> FixedZones::instants_of(const Zone& zone, std::int64_t local_ms) {
    std::vector<UnixMs> instants;
    std::vector<Millis> offsets{zone.first_offset};
    for (const Change& change : zone.changes) offsets.push_back(change.offset);
    for (const Millis offset : offsets) {
        const UnixMs at{local_ms - offset.value};
        if (offset_at(zone, at) != offset) continue;
        bool is_known = false;
        for (const UnixMs other : instants) is_known = is_known || other == at;
        if (!is_known) instants.push_back(at);
    }
    return instants;
}

UnixMs FixedZones::to_instant(const std::string& name, const LocalTime& local) const {
    const Zone& z = zone(name);
    const std::int64_t local_ms = local_ms_of(local);
    const auto instants = instants_of(z, local_ms);
    if (!instants.empty()) {
        UnixMs first = instants.front();
        for (const UnixMs at : instants) first = std::min(first, at);
        return first;
    }
    // In a gap: the change that skipped it.
    Millis before = z.first_offset;
    for (const Change& change : z.changes) {
        const bool is_skipped =
            local_ms >= change.at.value + before.value && local_ms < change.at.value + change.offset.value;
        if (is_skipped) return change.at;
        before = change.offset;
    }
    return UnixMs{local_ms - z.first_offset.value};
}

bool FixedZones::is_in_gap(const std::string& name, const LocalTime& local) const {
    return instants_of(zone(name), local_ms_of(local)).empty();
}

bool FixedZones::is_repeated(const std::string& name, const LocalTime& local) const {
    return instants_of(zone(name), local_ms_of(local)).size() > 1;
}

UnixMs utc(int year, int month, int day, int hour, int minute, int second) {
    LocalTime local;
    local.year = year;
    local.month = month;
    local.day = day;
    return UnixMs{day_of(local).number * kDayMs + ((hour * 60 + minute) * 60LL + second) * 1000};
}

std::string utc_text(UnixMs at) {
    const FixedZones zones;
    const LocalTime local = zones.to_local("UTC", at);
    char out[64];
    std::snprintf(out, sizeof out, "%04d-%02d-%02dT%02d:%02d:%02dZ", local.year, local.month, local.day,
                  local.minute / 60, local.minute % 60, local.second);
    return out;
}

}  // namespace nightshift::tests
