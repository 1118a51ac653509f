#pragma once

#include <string>

#include "scheduler/planner.h"
#include "scheduler/snapshot.h"
#include "tests/support/fixed_zones.h"

namespace nightshift::tests {

/// Builds snapshots for planner tests: one 24 GiB GPU, no policy, Friday 20 November 2026, 23:00 UTC.
struct Night {
    Snapshot s;
    UnixMs now = utc(2026, 11, 20, 23);
    FixedZones zones;

    Night();
    /// A waiting candidate; refer to it until the next job is added.
    Job& wait(int id, JobClass job_class, Bytes vram);
    /// A running job that started `ago` before now.
    LiveJob& run(int id, JobClass job_class, Bytes vram, Millis ago = minutes(30));
    Plan plan(Words words = Words::kWritten) const { return nightshift::plan(s, zones, now, words); }
    Explanation explain(const Job& job, bool with_counterfactuals = false) const {
        return nightshift::explain(s, job, zones, now, with_counterfactuals);
    }
    void add_window(const std::string& name, const std::string& rule, const std::string& zone = "UTC");
};

bool starts(const Plan& plan, int id);
bool yields(const Plan& plan, int id);
/// The gate of a waiting job; nullptr when it is not closed.
const Gate* gate_of(const Plan& plan, int id, const std::string& code);
const Gate* gate_of(const Explanation& explanation, const std::string& code);
/// "1: vram_budget order_behind | 2: held", for messages of failed checks.
std::string gates_text(const Plan& plan);

}  // namespace nightshift::tests
