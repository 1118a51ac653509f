#include "scheduler/runtime.h"

#include <algorithm>

#include "scheduler/learned.h"

namespace nightshift {
namespace {

/// An estimate from the params counts as p50; runs of the same kind stay within a quarter of it.
Millis cautious(Millis estimate) {
    return Millis{estimate.value + estimate.value / 4};
}

Millis minus_done(Millis whole, const Job& job) {
    if (!job.has_checkpoint) return whole;
    return Millis{std::max<std::int64_t>(whole.value - job.run_time.value, 0)};
}

}  // namespace

std::optional<Millis> time_left(const Job& job, const Policy& policy) {
    std::optional<Millis> limit = job.spec.time_limit;
    if (!limit) limit = policy.of(job.spec.job_class).time_limit;
    if (!limit && job.spec.job_class != JobClass::kInference) limit = policy.limits.time_limit;
    if (!limit) return std::nullopt;
    return Millis{std::max<std::int64_t>(limit->value - job.run_time.value, 0)};
}

RunTime predict_run(const Job& job, const Snapshot& snapshot) {
    RunTime run;
    const auto limit = time_left(job, snapshot.policy);
    const KindStats* stats = stats_of(job.spec, snapshot.stats);
    if (job.spec.estimate) {
        run = {minus_done(*job.spec.estimate, job), minus_done(cautious(*job.spec.estimate), job),
               RunBasis::kEstimate};
    } else if (stats != nullptr) {
        run = {minus_done(stats->run_time_p50, job), minus_done(stats->run_time_p90, job),
               RunBasis::kHistory};
    } else if (limit) {
        return {limit, limit, RunBasis::kTimeLimit};
    } else {
        return run;
    }
    if (limit) run.p50 = std::min(*run.p50, *limit);
    if (limit) run.p90 = std::min(*run.p90, *limit);
    return run;
}

std::string basis_of_run(const Job& job, const Snapshot& snapshot) {
    switch (predict_run(job, snapshot).basis) {
        case RunBasis::kEstimate:
            return "the estimate from its parameters";
        case RunBasis::kHistory: {
            const KindStats& stats = *stats_of(job.spec, snapshot.stats);
            return "the last " + std::to_string(stats.runs) + " runs of " + job.spec.kind +
                   (stats.group.empty() ? "" : " with these parameters");
        }
        case RunBasis::kTimeLimit:
            return "its time limit";
        case RunBasis::kNothing:
            break;
    }
    return "nothing: no estimate, no history, no time limit";
}

std::optional<UnixMs> end_when_started(const Job& job, const Snapshot& snapshot, UnixMs now) {
    const auto run = predict_run(job, snapshot);
    return run.p90 ? std::optional<UnixMs>(now + *run.p90) : std::nullopt;
}

std::optional<UnixMs> predicted_end(const LiveJob& live, const Snapshot& snapshot, UnixMs now) {
    const UnixMs started = live.attempt.running_at.value_or(live.attempt.granted_at);
    std::optional<UnixMs> end = live.predicted_end;
    if (!end) {
        const auto run = predict_run(live.job, snapshot);
        if (run.p90) end = started + *run.p90;
    }
    if (end && *end > now) return end;
    if (const auto limit = time_left(live.job, snapshot.policy); limit && started + *limit > now) {
        return started + *limit;
    }
    return std::nullopt;
}

}  // namespace nightshift
