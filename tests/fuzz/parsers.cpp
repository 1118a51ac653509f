// libFuzzer target of one parser each, chosen by NIGHTSHIFT_FUZZ: no input may crash, hang or be taken for
// something that the rest of the program cannot live with.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "scheduler/calendar.h"
#include "scheduler/cron.h"
#include "tests/support/fixed_zones.h"

using namespace nightshift;

namespace {

void require(bool holds, const char* promise) {
    if (holds) return;
    std::fprintf(stderr, "broken promise: %s\n", promise);
    std::abort();
}

template <typename T>
void require_told(const Result<T>& result) {
    require(result || (!result.error().message.empty() && !result.error().hint.empty()),
            "a refusal says what is wrong and what to do");
}

void try_cron(std::string_view text) {
    const auto cron = parse_cron(text);
    require_told(cron);
    if (!cron) return;
    static const tests::FixedZones zones;
    const UnixMs after = tests::utc(2026, 3, 28, 12);
    const auto fire = next_fire(*cron, "Europe/Berlin", zones, after);
    if (!fire) return;
    require(fire->at > after, "a fire lies after the instant asked for");
    require(fire->at.value % 60'000 == 0, "a fire lies on a full minute");
    const auto again = next_fire(*cron, "Europe/Berlin", zones, fire->at - Millis{1});
    require(again && again->at == fire->at, "asked from just before it, the same fire comes");
}

void try_calendar(std::string_view text) {
    const auto rule = parse_window_rule(text);
    require_told(rule);
    if (!rule) return;
    require(rule->days != 0, "a rule has a day");
    require(rule->start_minute >= 0 && rule->start_minute < 1440, "a rule starts within the day");
    require(rule->end_minute >= 1 && rule->end_minute <= 1440, "a rule ends within the day");
    static const tests::FixedZones zones;
    const Window window{"w", "Europe/Berlin", {*rule}};
    const UnixMs now = tests::utc(2026, 10, 25);
    UnixMs last{INT64_MIN};
    for (const OpenStretch& stretch : open_stretches(window, zones, now)) {
        require(stretch.from < stretch.to && stretch.from > last, "stretches are in order and apart");
        last = stretch.to;
    }
}

void try_duration(std::string_view text) {
    const auto duration = parse_duration(text);
    require_told(duration);
    if (!duration) return;
    require(duration->value >= 0 && *duration <= hours(24 * 3660), "a duration is bounded");
    const auto again = parse_duration(std::to_string(duration->value) + "ms");
    require(again && *again == *duration, "in milliseconds it is the same");
}

void try_size(std::string_view text) {
    const auto bytes = parse_bytes(text);
    require_told(bytes);
    if (!bytes) return;
    require(bytes->value >= 0, "a size is not below 0");
    const auto again = parse_bytes(std::to_string(bytes->value));
    require(again && *again == *bytes, "in bytes it is the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::string target = std::getenv("NIGHTSHIFT_FUZZ") ? std::getenv("NIGHTSHIFT_FUZZ") : "";
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (target == "cron") {
        try_cron(text);
    } else if (target == "calendar") {
        try_calendar(text);
    } else if (target == "duration") {
        try_duration(text);
    } else if (target == "size") {
        try_size(text);
    } else {
        std::fprintf(stderr, "NIGHTSHIFT_FUZZ is cron, calendar, duration or size\n");
        std::exit(64);
    }
    return 0;
}
