#pragma once

#include <optional>
#include <string>
#include <vector>

#include "scheduler/ledger.h"
#include "scheduler/planner.h"
#include "scheduler/scene.h"

namespace nightshift {

/// After one preemption nobody is preempted for this long. Never blocks a start or a resume.
inline constexpr Millis kHysteresis = seconds(60);

/// What a job lacks; zero or less = enough of it.
struct Shortage {
    std::string device;
    Bytes vram;
    Bytes ram;
    int cpu = 0;
    int slots = 0;
    bool is_for_inference = false;
    bool is_any() const { return vram.value > 0 || ram.value > 0 || cpu > 0 || slots > 0; }
};

/// Who leaves for a job, or why nobody does although lower classes hold enough.
struct PreemptionVerdict {
    std::vector<const LiveJob*> victims;
    Millis lost;               ///< by all of them together
    std::optional<Gate> gate;  ///< preemption_in_flight or protected_victims
};

/// The set of victims that loses the least work among all sets that cover the shortage: only running,
/// preemptible jobs of a lower class, or of the same rank when they passed the beneficiary. Ties go to
/// the lowest class, then to the youngest run.
PreemptionVerdict choose_victims(const Scene& scene, const Ledger& ledger, const Job& beneficiary,
                                 const Shortage& shortage);

/// From when on the job could be asked to leave for the beneficiary's VRAM; nothing when it never could.
std::optional<UnixMs> askable_from(const Scene& scene, const LiveJob& live, const Job& beneficiary);

/// Work that is lost when it leaves now, with what it takes to come back.
Millis lost_work(const LiveJob& victim, UnixMs now);

}  // namespace nightshift
