#pragma once

#include <optional>
#include <string>
#include <vector>

#include "scheduler/gates.h"

namespace nightshift {

/// "user=kim" when the limit applies to a job with these labels; nothing when it does not.
std::optional<std::string> group_of(const GroupLimit& limit, const JobSpec& spec);

/// True when the live jobs fill one of the job's groups. Its own class's limit does not count.
bool is_group_full(const Snapshot& snapshot, const JobSpec& spec);

/// The limits of its class and of its groups that `running` fills (live jobs, and the starts of the
/// pass). They are the policy's will, not a lack of room: no reservation, no preemption, no ageing.
std::vector<Gate> limit_gates(const Scene& scene, const Job& job, const std::vector<const Job*>& running);

}  // namespace nightshift
