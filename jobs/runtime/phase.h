#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "scheduler/job.h"

namespace nightshift::jobs {

/// Progress in hundredths of a phase, for work that has no steps of its own.
inline Progress phase_at(std::string phase, double share) {
    Progress progress;
    progress.phase = std::move(phase);
    progress.step = static_cast<std::int64_t>(share * 100);
    progress.steps = 100;
    return progress;
}

/// Progress in counted steps.
inline Progress step_of(std::string phase, std::size_t step, std::size_t steps) {
    Progress progress;
    progress.phase = std::move(phase);
    progress.step = static_cast<std::int64_t>(step);
    progress.steps = static_cast<std::int64_t>(steps);
    return progress;
}

}  // namespace nightshift::jobs
