#include "scheduler/job.h"

namespace nightshift {
namespace {

template <typename Enum, std::size_t N>
std::optional<Enum> parse_by_name(const std::array<Enum, N>& values, std::string_view text) {
    for (const Enum value : values) {
        if (to_string(value) == text) return value;
    }
    return std::nullopt;
}

constexpr std::array kJobStates{
    JobState::kWaiting,   JobState::kStarting, JobState::kRunning,   JobState::kYielding,
    JobState::kParked,    JobState::kStopping, JobState::kSucceeded, JobState::kFailed,
    JobState::kCancelled, JobState::kSkipped,  JobState::kExpired,
};

}  // namespace

std::string_view to_string(JobClass job_class) {
    switch (job_class) {
        case JobClass::kInference:
            return "inference";
        case JobClass::kTraining:
            return "training";
        case JobClass::kEvaluation:
            return "evaluation";
        case JobClass::kSynthesis:
            return "synthesis";
    }
    return "training";
}

std::optional<JobClass> parse_job_class(std::string_view text) {
    return parse_by_name(kJobClasses, text);
}

int rank_of(JobClass job_class) {
    switch (job_class) {
        case JobClass::kInference:
            return 0;
        case JobClass::kTraining:
            return 1;
        case JobClass::kEvaluation:
            return 1;
        case JobClass::kSynthesis:
            return 2;
    }
    return 2;
}

std::string_view to_string(JobState state) {
    switch (state) {
        case JobState::kWaiting:
            return "waiting";
        case JobState::kStarting:
            return "starting";
        case JobState::kRunning:
            return "running";
        case JobState::kYielding:
            return "yielding";
        case JobState::kParked:
            return "parked";
        case JobState::kStopping:
            return "stopping";
        case JobState::kSucceeded:
            return "succeeded";
        case JobState::kFailed:
            return "failed";
        case JobState::kCancelled:
            return "cancelled";
        case JobState::kSkipped:
            return "skipped";
        case JobState::kExpired:
            return "expired";
    }
    return "waiting";
}

std::optional<JobState> parse_job_state(std::string_view text) {
    return parse_by_name(kJobStates, text);
}

bool is_terminal(JobState state) {
    switch (state) {
        case JobState::kSucceeded:
        case JobState::kFailed:
        case JobState::kCancelled:
        case JobState::kSkipped:
        case JobState::kExpired:
            return true;
        case JobState::kWaiting:
        case JobState::kStarting:
        case JobState::kRunning:
        case JobState::kYielding:
        case JobState::kParked:
        case JobState::kStopping:
            return false;
    }
    return false;
}

bool is_live(JobState state) {
    return state != JobState::kWaiting && !is_terminal(state);
}

bool may_change(JobState from, JobState to) {
    // Every attempt can end: by its own exit, or by the proof that its process is gone.
    const bool is_end = to == JobState::kWaiting || to == JobState::kSucceeded || to == JobState::kFailed ||
                        to == JobState::kCancelled;
    switch (from) {
        case JobState::kWaiting:
            return to == JobState::kStarting || to == JobState::kCancelled || to == JobState::kSkipped ||
                   to == JobState::kExpired;
        case JobState::kStarting:
            return is_end || to == JobState::kRunning || to == JobState::kYielding ||
                   to == JobState::kStopping;
        case JobState::kRunning:
            return is_end || to == JobState::kYielding || to == JobState::kStopping;
        case JobState::kYielding:
            return is_end || to == JobState::kParked || to == JobState::kStopping;
        case JobState::kParked:
            return is_end || to == JobState::kRunning || to == JobState::kYielding ||
                   to == JobState::kStopping;
        case JobState::kStopping:
            return is_end;
        case JobState::kSucceeded:
        case JobState::kFailed:
        case JobState::kCancelled:
        case JobState::kSkipped:
        case JobState::kExpired:
            return false;
    }
    return false;
}

std::string_view to_string(CheckpointMode mode) {
    switch (mode) {
        case CheckpointMode::kWorker:
            return "worker";
        case CheckpointMode::kSignal:
            return "signal";
        case CheckpointMode::kNone:
            return "none";
    }
    return "none";
}

std::optional<CheckpointMode> parse_checkpoint_mode(std::string_view text) {
    constexpr std::array kModes{CheckpointMode::kWorker, CheckpointMode::kSignal, CheckpointMode::kNone};
    return parse_by_name(kModes, text);
}

std::string_view to_string(WindowEnd end) {
    switch (end) {
        case WindowEnd::kYield:
            return "yield";
        case WindowEnd::kFinish:
            return "finish_if_p90_before";
        case WindowEnd::kKill:
            return "kill";
    }
    return "yield";
}

std::optional<WindowEnd> parse_window_end(std::string_view text) {
    for (const auto end : {WindowEnd::kYield, WindowEnd::kFinish, WindowEnd::kKill}) {
        if (to_string(end) == text) return end;
    }
    return std::nullopt;
}

std::string_view to_string(DependencyKind kind) {
    switch (kind) {
        case DependencyKind::kSuccess:
            return "success";
        case DependencyKind::kAny:
            return "any";
        case DependencyKind::kFailure:
            return "failure";
    }
    return "success";
}

std::optional<DependencyKind> parse_dependency_kind(std::string_view text) {
    constexpr std::array kKinds{DependencyKind::kSuccess, DependencyKind::kAny, DependencyKind::kFailure};
    return parse_by_name(kKinds, text);
}

}  // namespace nightshift
