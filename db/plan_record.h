#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/units.h"

namespace nightshift::db {

struct PlanDevice {
    std::string uuid, name;
    Bytes total, foreign;
    friend bool operator==(const PlanDevice&, const PlanDevice&) = default;
};

/// What a plan saw that is not a job, and how much it decided.
struct PlanRecord {
    std::int64_t plan_seq = 0;
    UnixMs at;
    bool is_paused = false;
    int starts = 0, yields = 0;
    int cpu = 0;
    Bytes ram;
    std::optional<std::string> policy_json;          ///< only where it changed
    std::optional<std::vector<PlanDevice>> devices;  ///< only where they changed; in the order of their index
};

}  // namespace nightshift::db
