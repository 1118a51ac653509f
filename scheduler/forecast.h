#pragma once

#include "scheduler/ledger.h"
#include "scheduler/planner.h"
#include "scheduler/scene.h"

namespace nightshift {

/// When the job is likely to start, guessed by letting the queue ahead of it run through in order on
/// the expected ends and run times. `ledger` and `plan` are those of a finished pass that saw the job.
/// Eta::basis always says what it rests on, or what is not known.
Eta forecast(const Scene& scene, const Ledger& ledger, const Plan& plan, const Job& job,
             const Explanation& explanation);

}  // namespace nightshift
