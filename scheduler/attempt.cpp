#include "scheduler/attempt.h"

#include <array>

namespace nightshift {

std::string_view to_string(AttemptEnd end) {
    switch (end) {
        case AttemptEnd::kOk:
            return "ok";
        case AttemptEnd::kFailed:
            return "failed";
        case AttemptEnd::kTryAgain:
            return "try_again";
        case AttemptEnd::kPreempted:
            return "preempted";
        case AttemptEnd::kCancelled:
            return "cancelled";
        case AttemptEnd::kTimeLimit:
            return "time_limit";
        case AttemptEnd::kLost:
            return "lost";
        case AttemptEnd::kOverBudget:
            return "over_budget";
        case AttemptEnd::kSpawnError:
            return "spawn_error";
    }
    return "failed";
}

std::optional<AttemptEnd> parse_attempt_end(std::string_view text) {
    constexpr std::array kEnds{AttemptEnd::kOk,        AttemptEnd::kFailed,     AttemptEnd::kTryAgain,
                               AttemptEnd::kPreempted, AttemptEnd::kCancelled,  AttemptEnd::kTimeLimit,
                               AttemptEnd::kLost,      AttemptEnd::kOverBudget, AttemptEnd::kSpawnError};
    for (const AttemptEnd end : kEnds) {
        if (to_string(end) == text) return end;
    }
    return std::nullopt;
}

std::string_view to_string(EnforcementGrade grade) {
    switch (grade) {
        case EnforcementGrade::kKernel:
            return "kernel";
        case EnforcementGrade::kDriver:
            return "driver";
        case EnforcementGrade::kInterposed:
            return "interposed";
        case EnforcementGrade::kAllocator:
            return "allocator";
        case EnforcementGrade::kWatchdog:
            return "watchdog";
        case EnforcementGrade::kNone:
            return "none";
    }
    return "none";
}

std::optional<EnforcementGrade> parse_enforcement_grade(std::string_view text) {
    constexpr std::array kGrades{EnforcementGrade::kKernel,     EnforcementGrade::kDriver,
                                 EnforcementGrade::kInterposed, EnforcementGrade::kAllocator,
                                 EnforcementGrade::kWatchdog,   EnforcementGrade::kNone};
    for (const EnforcementGrade grade : kGrades) {
        if (to_string(grade) == text) return grade;
    }
    return std::nullopt;
}

}  // namespace nightshift
