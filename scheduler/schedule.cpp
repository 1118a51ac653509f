#include <algorithm>
#include <array>
#include <deque>

#include "scheduler/cron.h"
#include "scheduler/defect.h"

namespace nightshift {
namespace {

/// A fire this late still counts as on time: the daemon was busy, not down.
constexpr Millis kOnTime = seconds(60);
/// At most this many missed fires are made up for, and at most this many decisions are written down.
constexpr std::size_t kCatchUpMax = 24;

/// The due fires, oldest first, only the last kCatchUpMax of them. Looks back in growing steps, so
/// that a year of downtime of an every-minute schedule costs no half a million steps.
std::deque<UnixMs> due_times(const Schedule& schedule, const TimeZones& zones, UnixMs now) {
    if (!schedule.next_fire_at || *schedule.next_fire_at > now) return {};
    const UnixMs first = *schedule.next_fire_at;
    for (Millis back = hours(1);; back = Millis{back.value * 4}) {
        const bool is_whole = now - back <= first;
        std::deque<UnixMs> times;
        if (is_whole) times.push_back(first);
        UnixMs at = is_whole ? first : now - back;
        while (const auto fire = next_fire(schedule.cron, schedule.timezone, zones, at)) {
            if (fire->at > now) break;
            at = fire->at;
            times.push_back(at);
            if (times.size() > kCatchUpMax) times.pop_front();
        }
        if (is_whole || times.size() >= kCatchUpMax) return times;
    }
}

bool is_wanted(MissedPolicy missed, UnixMs nominal, bool is_last, UnixMs now) {
    if (now - nominal <= kOnTime) return true;
    switch (missed) {
        case MissedPolicy::kOnce:
            return NIGHTSHIFT_RULE(16, is_last, true);
        case MissedPolicy::kSkip:
            return false;
        case MissedPolicy::kAll:
            return true;
    }
    return false;
}

}  // namespace

std::string_view to_string(MissedPolicy policy) {
    switch (policy) {
        case MissedPolicy::kOnce:
            return "once";
        case MissedPolicy::kSkip:
            return "skip";
        case MissedPolicy::kAll:
            return "all";
    }
    return "once";
}

std::string_view to_string(OverlapPolicy policy) {
    switch (policy) {
        case OverlapPolicy::kSkip:
            return "skip";
        case OverlapPolicy::kQueue:
            return "queue";
        case OverlapPolicy::kReplace:
            return "replace";
    }
    return "skip";
}

std::optional<MissedPolicy> parse_missed_policy(std::string_view text) {
    for (const auto policy : {MissedPolicy::kOnce, MissedPolicy::kSkip, MissedPolicy::kAll}) {
        if (to_string(policy) == text) return policy;
    }
    return std::nullopt;
}

std::optional<OverlapPolicy> parse_overlap_policy(std::string_view text) {
    for (const auto policy : {OverlapPolicy::kSkip, OverlapPolicy::kQueue, OverlapPolicy::kReplace}) {
        if (to_string(policy) == text) return policy;
    }
    return std::nullopt;
}

std::vector<FireDecision> due_fires(const Schedule& schedule, const TimeZones& zones, UnixMs now,
                                    int live_or_waiting) {
    std::vector<FireDecision> decisions;
    if (!schedule.enabled) return decisions;
    const auto times = due_times(schedule, zones, now);
    int open_jobs = live_or_waiting;
    for (std::size_t i = 0; i < times.size(); ++i) {
        FireDecision decision;
        decision.nominal = times[i];
        if (!is_wanted(schedule.missed, times[i], i + 1 == times.size(), now)) {
            decision.reason = "missed";
        } else if (open_jobs > 0 && schedule.overlap == OverlapPolicy::kSkip) {
            decision.reason = "overlap";
        } else {
            decision.run = true;
            decision.replace_running = open_jobs > 0 && schedule.overlap == OverlapPolicy::kReplace;
            ++open_jobs;
        }
        decisions.push_back(decision);
    }
    return decisions;
}

}  // namespace nightshift
