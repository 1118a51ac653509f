#include "scheduler/window_edges.h"

#include <algorithm>

#include "scheduler/defect.h"
#include "scheduler/runtime.h"

namespace nightshift {
namespace {

/// A job that started with just enough time for all of its work is not asked to leave for a launch
/// that took a moment.
constexpr Millis kEdgeSlack = seconds(10);

WindowEnd end_of(const LiveJob& live, const Policy& policy) {
    return live.job.spec.at_window_end.value_or(policy.of(live.job.spec.job_class).at_window_end);
}

/// Whether it will be done soon enough to be left alone. `edge`: where its window closes or has closed.
bool may_finish(const Scene& scene, const LiveJob& live, UnixMs edge) {
    const bool has_slack = end_of(live, scene.policy()) == WindowEnd::kFinish;
    const Millis slack = has_slack ? scene.policy().of(live.job.spec.job_class).window_slack : kEdgeSlack;
    const auto end = predicted_end(live, scene.snapshot, scene.now);
    return end && *end <= edge + slack;
}

}  // namespace

std::vector<Yield> window_yields(const Scene& scene) {
    std::vector<Yield> yields;
    const Millis grace = scene.policy().preemption.grace;
    for (const LiveJob& live : scene.snapshot.live) {
        if (live.job.state != JobState::kRunning) continue;
        const WindowStatus& window = scene.windows.status(window_of(live.job.spec, scene.policy()));
        if (!window.is_known) continue;
        const WindowEnd rule = end_of(live, scene.policy());
        if (rule == WindowEnd::kKill) {
            if (!window.is_open) yields.push_back({live.job.id, JobId{}, "window", scene.now});
            continue;
        }
        if (!live.job.spec.preemptible) continue;
        if (!window.is_open) {
            const bool is_left =
                rule == WindowEnd::kFinish && window.closed_at && may_finish(scene, live, *window.closed_at);
            if (!is_left) yields.push_back({live.job.id, JobId{}, "window", scene.now + grace});
            continue;
        }
        const Millis lead = NIGHTSHIFT_RULE(5, grace, Millis{});
        if (!window.closes_at || *window.closes_at - lead > scene.now) continue;
        if (may_finish(scene, live, *window.closes_at)) continue;
        yields.push_back({live.job.id, JobId{}, "window", *window.closes_at});
    }
    return yields;
}

std::optional<UnixMs> next_window_yield(const Scene& scene) {
    std::optional<UnixMs> next;
    for (const LiveJob& live : scene.snapshot.live) {
        const bool is_killed = end_of(live, scene.policy()) == WindowEnd::kKill;
        if (!live.job.spec.preemptible && !is_killed) continue;
        const WindowStatus& window = scene.windows.status(window_of(live.job.spec, scene.policy()));
        if (!window.closes_at) continue;
        for (const UnixMs at : {*window.closes_at - scene.policy().preemption.grace, *window.closes_at}) {
            if (at > scene.now && (!next || at < *next)) next = at;
        }
    }
    return next;
}

}  // namespace nightshift
