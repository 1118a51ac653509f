#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scheduler/calendar.h"
#include "scheduler/job.h"

namespace nightshift {

/// Five-field cron, day fields combined as in Vixie cron: when both are restricted, either matches.
/// Source: crontab(5) of Vixie cron 3.0.
struct Cron {
    std::uint64_t minutes = 0;  ///< bit per minute
    std::uint32_t hours = 0;
    std::uint32_t days = 0;     ///< bit 1..31
    std::uint16_t months = 0;   ///< bit 1..12
    std::uint8_t weekdays = 0;  ///< bit 0 = Sunday
    bool is_day_restricted = false;
    bool is_weekday_restricted = false;
};

/// Names (jan, mon), ranges, steps, lists; @hourly @daily @midnight @weekly @monthly @yearly @annually.
Result<Cron> parse_cron(std::string_view text);

struct Fire {
    UnixMs at;
    std::string note;  ///< "", or what daylight saving did to it
};

/// The first fire strictly after `after`. A local time in a gap fires at the first instant after it
/// (several fires in one gap collapse into one); a repeated local time fires once, at its first
/// occurrence. Nothing when no date within 8 years matches (e.g. 31 February).
std::optional<Fire> next_fire(const Cron& cron, const std::string& zone, const TimeZones& zones,
                              UnixMs after);

enum class MissedPolicy { kOnce, kSkip, kAll };
enum class OverlapPolicy { kSkip, kQueue, kReplace };
std::string_view to_string(MissedPolicy policy);
std::string_view to_string(OverlapPolicy policy);
std::optional<MissedPolicy> parse_missed_policy(std::string_view text);
std::optional<OverlapPolicy> parse_overlap_policy(std::string_view text);

struct Schedule {
    ScheduleId id;
    std::string name;
    std::string cron_text;
    Cron cron;
    std::string timezone;
    MissedPolicy missed = MissedPolicy::kOnce;
    OverlapPolicy overlap = OverlapPolicy::kSkip;
    bool enabled = true;
    std::string jobs_json;  ///< the chain as submitted: a JSON array of submits, opaque here
    std::optional<UnixMs> next_fire_at;
    std::optional<UnixMs> last_fire_at;  ///< nominal
    UnixMs created_at;
    int version = 1;
};

/// What to do with the nominal times that have passed. Pure; the store makes each (schedule, time)
/// unique, so a repeat after a crash changes nothing.
struct FireDecision {
    UnixMs nominal;
    bool run = false;
    bool replace_running = false;
    std::string reason;  ///< for a skip: "missed", "overlap"
};
/// `live_or_waiting`: jobs of the schedule that are not terminal.
std::vector<FireDecision> due_fires(const Schedule& schedule, const TimeZones& zones, UnixMs now,
                                    int live_or_waiting);

}  // namespace nightshift
