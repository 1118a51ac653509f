#include "scheduler/transition.h"

#include <algorithm>

#include "scheduler/defect.h"
#include "scheduler/learned.h"

namespace nightshift {
namespace {

constexpr int kExitTryAgain = 75;  // EX_TEMPFAIL of sysexits.h
constexpr int kExitPreempted = 85;
constexpr Millis kRetryDelayFirst = seconds(10);
constexpr Millis kRetryDelayMax = minutes(15);

/// The daemon asked it to leave the GPU and will run it again.
bool is_asked_to_leave(const Attempt& attempt) {
    return attempt.stop_reason == "preempted" || attempt.stop_reason == "window" ||
           attempt.stop_reason == "down";
}

Transition terminal(JobState state, AttemptEnd end, const AttemptReport& report, std::string code,
                    std::string message) {
    Transition next;
    next.state = state;
    next.end = end;
    next.outcome =
        Outcome{std::move(code), std::move(message), report.exit_code, report.signal, report.cached};
    return next;
}

Transition back_to_queue(AttemptEnd end) {
    Transition next;
    next.state = JobState::kWaiting;
    next.end = end;
    return next;
}

Transition left_the_gpu(const Attempt& attempt) {
    Transition next = back_to_queue(AttemptEnd::kPreempted);
    next.counts_preemption = attempt.stop_reason == "preempted";
    return next;
}

/// A failed attempt: another one while retries are left, else the end of the job.
Transition retry_or_fail(const Job& job, AttemptEnd end, const AttemptReport& report, std::string code,
                         std::string message, UnixMs now) {
    if (job.retries_left > 0) {
        Transition next = back_to_queue(end);
        next.charges_retry = true;
        next.retry_at = now + retry_delay(job.spec.retries - job.retries_left + 1);
        return next;
    }
    return terminal(JobState::kFailed, end, report, std::move(code), std::move(message));
}

/// It saved and left.
bool has_saved(const AttemptReport& report) {
    return report.exit_code == kExitPreempted && report.has_committed_checkpoint;
}

/// True when the end is the answer to a request to leave, not a failure of its own.
bool is_yield(const Job& job, const AttemptReport& report) {
    if (has_saved(report)) return true;
    // It wanted to save and could not, e.g. for want of disk: the checkpoint before that one has to do.
    if (report.error_code == "checkpoint_failed") return true;
    // Nothing to save, so however it went it starts over; being killed after the grace time is ours.
    if (job.spec.checkpoint == CheckpointMode::kNone) return true;
    return report.signal.has_value();
}

std::string said(const AttemptReport& report, std::string fallback) {
    return report.message.empty() ? std::move(fallback) : report.message;
}

/// The budget was too small, whether the job was refused more or took it. The same one again would end the
/// same way, so there is another attempt only with a larger one.
Transition needed_more(const Job& job, const Attempt& attempt, const AttemptReport& report, UnixMs now) {
    const bool had_to_leave = attempt.stop_reason == "over_budget";
    const auto raised = raised_budget(job.spec.vram, report.peak, report.vram_max);
    const bool is_free = (had_to_leave && has_saved(report)) || !report.was_raised;
    if (raised && (is_free || job.retries_left > 0)) {
        Transition next = back_to_queue(AttemptEnd::kOverBudget);
        if (!is_free) {
            next.charges_retry = true;
            next.retry_at = now + retry_delay(job.spec.retries - job.retries_left + 1);
        }
        next.vram = raised;
        return next;
    }
    std::string text = had_to_leave ? "The job used more memory than its budget of "
                                    : "The job ran out of GPU memory within its budget of ";
    text += format_bytes(job.spec.vram);
    if (report.peak.value > 0) text += " (the most it was seen to hold: " + format_bytes(report.peak) + ")";
    text += "; submit it with a larger `vram`, or make it need less.";
    if (!report.message.empty()) text += " It said: " + report.message;
    return terminal(JobState::kFailed, AttemptEnd::kOverBudget, report,
                    had_to_leave ? "over_budget" : "out_of_memory", std::move(text));
}

Transition on_exit_status(const Job& job, const AttemptReport& report, UnixMs now) {
    if (report.exit_code == kExitTryAgain) {
        return retry_or_fail(
            job, AttemptEnd::kTryAgain, report, "try_again",
            said(report, "The job asked to be tried again (exit code 75) and has no retries left."), now);
    }
    if (report.signal) {
        return retry_or_fail(job, AttemptEnd::kFailed, report,
                             report.error_code.empty() ? "signal" : report.error_code,
                             said(report, "The job was ended by signal " + std::to_string(*report.signal) +
                                              "; its log shows what it did last."),
                             now);
    }
    if (report.exit_code == kExitPreempted) {
        return retry_or_fail(job, AttemptEnd::kFailed, report, "exit_code",
                             said(report,
                                  "The job ended with exit code 85 without a request to yield and a "
                                  "committed checkpoint."),
                             now);
    }
    const std::string exit = report.exit_code ? std::to_string(*report.exit_code) : "unknown";
    return retry_or_fail(job, AttemptEnd::kFailed, report,
                         report.error_code.empty() ? "exit_code" : report.error_code,
                         said(report, "The job ended with exit code " + exit + "; its log shows why."), now);
}

}  // namespace

Transition on_attempt_end(const Job& job, const Attempt& attempt, const AttemptReport& report, UnixMs now) {
    if (NIGHTSHIFT_RULE(14, attempt.stop_reason == "cancelled",
                        report.exit_code != 0 && attempt.stop_reason == "cancelled")) {
        return terminal(JobState::kCancelled, AttemptEnd::kCancelled, report, "cancelled",
                        "Cancelled while it ran.");
    }
    if (report.exit_code == 0 && !report.is_lost && !report.is_spawn_error) {
        return terminal(JobState::kSucceeded, AttemptEnd::kOk, report, "ok", said(report, "Done."));
    }
    if (report.is_reboot) return back_to_queue(AttemptEnd::kLost);
    if (attempt.stop_reason == "time_limit") {
        return terminal(JobState::kFailed, AttemptEnd::kTimeLimit, report, "time_limit",
                        "The job ran into its time limit; submit it with a longer `time_limit`.");
    }
    if (attempt.stop_reason == "over_budget") return needed_more(job, attempt, report, now);
    if (report.is_spawn_error) {
        return retry_or_fail(job, AttemptEnd::kSpawnError, report, "spawn_error",
                             said(report, "The job's process could not be started."), now);
    }
    if (is_asked_to_leave(attempt) && (report.is_lost || is_yield(job, report))) return left_the_gpu(attempt);
    const bool has_budget = job.spec.vram.value > 0;
    if (report.error_code == "out_of_memory" && has_budget) return needed_more(job, attempt, report, now);
    if (report.is_lost) {
        return retry_or_fail(job, AttemptEnd::kLost, report, "lost",
                             said(report, "The job's process is gone and left no result."), now);
    }
    return on_exit_status(job, report, now);
}

Millis retry_delay(int n) {
    Millis delay = kRetryDelayFirst;
    for (int i = 1; i < n && delay < kRetryDelayMax; ++i) delay = delay + delay;
    return std::min(delay, kRetryDelayMax);
}

}  // namespace nightshift
