#pragma once

#include <optional>
#include <string>

#include "scheduler/attempt.h"
#include "scheduler/job.h"

namespace nightshift {

/// What ended an attempt, as observed: exit status, or the proof that the process is gone.
struct AttemptReport {
    std::optional<int> exit_code;
    std::optional<int> signal;
    bool is_lost = false;    ///< gone without a result
    bool is_reboot = false;  ///< lost because the machine restarted: costs no retry
    bool is_spawn_error = false;
    bool has_committed_checkpoint = false;  ///< a checkpoint of this attempt is committed and hashed
    std::string message;                    ///< the worker's own words; may be empty
    std::string error_code;                 ///< the worker's own code, e.g. "out_of_memory"
    Bytes peak;             ///< the most VRAM it was seen to hold
    Bytes vram_max;         ///< the largest budget the job could be given; 0 = no larger one
    bool was_raised = false;  ///< an earlier attempt has had its budget raised already
    bool cached = false;
    Millis run_time;
};

/// The job's next state and everything that changes with it.
struct Transition {
    JobState state = JobState::kWaiting;
    AttemptEnd end = AttemptEnd::kOk;
    std::optional<Outcome> outcome;  ///< set when terminal
    bool charges_retry = false;
    bool counts_preemption = false;
    std::optional<UnixMs> retry_at;
    std::optional<Bytes> vram;  ///< the budget of the next attempt, where that changes
};

/// Decides what an ended attempt makes of its job. Rules: a cancel outranks everything; else exit 0 is
/// success, always; exit 85 with a committed checkpoint after a yield is a preemption and costs no
/// retry; a yielding job with `checkpoint: none` that was killed starts over; 75, a crash or a loss
/// uses a retry with back-off, else the job fails. A machine restart costs no retry. One that needed more
/// memory than its budget is run again with a larger one, once at no charge and, when it saved before it
/// left, as often as it saves.
Transition on_attempt_end(const Job& job, const Attempt& attempt, const AttemptReport& report, UnixMs now);

/// Back-off before retry number `n` (from 1): 10 s doubling to 15 min.
Millis retry_delay(int n);

}  // namespace nightshift
