#include "scheduler/window_edges.h"

#include <algorithm>

#include "scheduler/runtime.h"

namespace nightshift {
namespace {

/// A job that started with just enough time for all of its work is not asked to leave for a launch
/// that took a moment.
constexpr Millis kEdgeSlack = seconds(10);

bool is_asked_at_edges(const LiveJob& live) {
    return live.job.state == JobState::kRunning && live.job.spec.preemptible;
}

}  // namespace

std::vector<Yield> window_yields(const Scene& scene) {
    std::vector<Yield> yields;
    const Millis grace = scene.policy().preemption.grace;
    for (const LiveJob& live : scene.snapshot.live) {
        if (!is_asked_at_edges(live)) continue;
        const WindowStatus& window = scene.windows.status(window_of(live.job.spec, scene.policy()));
        if (!window.is_known) continue;
        if (!window.is_open) {
            yields.push_back({live.job.id, JobId{}, "window", scene.now + grace});
            continue;
        }
        if (!window.closes_at || *window.closes_at - grace > scene.now) continue;
        const auto end = predicted_end(live, scene.snapshot, scene.now);
        if (end && *end <= *window.closes_at + kEdgeSlack) continue;
        yields.push_back({live.job.id, JobId{}, "window", *window.closes_at});
    }
    return yields;
}

std::optional<UnixMs> next_window_yield(const Scene& scene) {
    std::optional<UnixMs> next;
    for (const LiveJob& live : scene.snapshot.live) {
        if (!live.job.spec.preemptible) continue;
        const WindowStatus& window = scene.windows.status(window_of(live.job.spec, scene.policy()));
        if (!window.closes_at) continue;
        for (const UnixMs at : {*window.closes_at - scene.policy().preemption.grace, *window.closes_at}) {
            if (at > scene.now && (!next || at < *next)) next = at;
        }
    }
    return next;
}

}  // namespace nightshift
