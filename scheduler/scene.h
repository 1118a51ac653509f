#pragma once

#include <string>
#include <vector>

#include "scheduler/snapshot.h"
#include "scheduler/windows.h"

namespace nightshift {

/// What every rule of one planning pass reads: the snapshot, the instant and its windows. Refers to
/// objects of plan()'s caller; lives as long as the pass.
struct Scene {
    const Snapshot& snapshot;
    const TimeZones& zones;
    UnixMs now;
    const WindowBook& windows;
    /// False for a pass whose gates nobody reads: it decides the same and composes no sentences, which are
    /// most of a pass's cost.
    bool has_words = true;

    const Policy& policy() const { return snapshot.policy; }
    template <typename Compose>
    std::string say(const Compose& compose) const {
        return has_words ? std::string(compose()) : std::string();
    }
};

/// "Fri 22:00", with the date when it is more than six days away, in `zone`.
std::string format_instant(const Scene& scene, const std::string& zone, UnixMs at);

/// "job 7", "jobs 7, 8 and 3 more".
std::string format_jobs(const std::vector<JobId>& jobs);

}  // namespace nightshift
