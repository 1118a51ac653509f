#include "scheduler/backfill.h"

#include <algorithm>

#include "scheduler/defect.h"
#include "scheduler/preemption.h"
#include "scheduler/runtime.h"

namespace nightshift {
namespace {

/// With more holders than this, "fits beside" is not examined and counts as no.
constexpr std::size_t kHoldersMax = 12;

/// Who else holds memory of the head's device: now, or as soon as what is on its way back is there.
std::vector<const Hold*> holders_beside(const Ledger& ledger, const Reservation& head) {
    std::vector<const Hold*> holders;
    for (const auto* holds : {&ledger.holds(), &ledger.kept()}) {
        for (const Hold& hold : *holds) {
            const bool is_here = hold.device == head.terms.device && hold.job != head.job;
            if (is_here && hold.bytes.value > 0) holders.push_back(&hold);
        }
    }
    return holders;
}

/// The head's shortfall now, against the ledger as it stands (starts of this pass included).
Bytes shortfall_now(const Ledger& ledger, const Reservation& head) {
    Bytes held;
    for (const Hold* hold : holders_beside(ledger, head)) held += hold->bytes;
    VramTerms terms = head.terms;
    terms.held = held;
    return shortfall_of(terms);
}

/// What the headroom in force for the head will have come down by at an instant.
Bytes headroom_drop(const Scene& scene, const Reservation& head, UnixMs at) {
    const auto& steps = scene.windows.headroom_steps();
    Bytes lowest = steps.front().vram;
    for (const HeadroomStep& step : steps) {
        if (step.from <= at) lowest = std::min(lowest, step.vram);
    }
    return std::min(head.terms.headroom, steps.front().vram - lowest);
}

/// Bytes expected back by an instant.
Bytes freed_by(const Scene& scene, const Ledger& ledger, const Reservation& head, UnixMs at) {
    Bytes freed = headroom_drop(scene, head, at);
    for (const Hold* hold : holders_beside(ledger, head)) {
        const auto askable = std::find_if(head.askable.begin(), head.askable.end(),
                                          [hold](const auto& entry) { return entry.first == hold->job; });
        const bool is_asked =
            NIGHTSHIFT_RULE(18, askable != head.askable.end() && askable->second <= at, false);
        if (hold->is_leaving || is_asked || (hold->end && *hold->end <= at)) freed += hold->bytes;
    }
    return freed;
}

/// No set of holders, ending in whatever order, is enough for the head alone but not for both. Those who
/// are leaving already are in every set.
bool fits_beside_in_any_order(const Ledger& ledger, const Reservation& head, Bytes extra) {
    std::vector<Bytes> parts;
    Bytes missing = shortfall_now(ledger, head);
    for (const Hold* hold : holders_beside(ledger, head)) {
        if (hold->is_leaving) {
            missing -= hold->bytes;
        } else {
            parts.push_back(hold->bytes);
        }
    }
    if (head.terms.headroom.value > 0) parts.push_back(head.terms.headroom);
    if (parts.size() > kHoldersMax) return false;
    for (std::size_t set = 0; set < std::size_t{1} << parts.size(); ++set) {
        Bytes freed;
        for (std::size_t i = 0; i < parts.size(); ++i) {
            if (set >> i & 1) freed += parts[i];
        }
        if (freed >= missing && freed < missing + extra) return false;
    }
    return true;
}

/// At the reserved time the expected ends leave room for both.
bool fits_beside_at(const Scene& scene, const Ledger& ledger, const Reservation& head, Bytes extra) {
    return freed_by(scene, ledger, head, *head.at) >= shortfall_now(ledger, head) + extra;
}

bool is_preempted_in_time(const Scene& scene, const Job& job, const Reservation& head) {
    const PreemptionPolicy& policy = scene.policy().preemption;
    // One that the floor has lifted cannot make those above its class leave.
    if (rank_of(job.spec.job_class) < head.rank) return false;
    if (!job.spec.preemptible || head.is_imminent || job.preemptions >= policy.max_per_day) return false;
    return !head.at || scene.now <= last_backfill(scene, head);
}

bool pushes(const Scene& scene, const Ledger& ledger, const Job& job, const Fit& fit,
            const Reservation& head) {
    if (head.terms.device != fit.device || fit.device.empty()) return false;
    const auto run = predict_run(job, scene.snapshot);
    const auto length = NIGHTSHIFT_RULE(9, run.p90, run.p50);
    if (head.at && length && scene.now + *length <= *head.at) return false;
    if (head.at && fits_beside_at(scene, ledger, head, job.spec.vram)) return false;
    if (fits_beside_in_any_order(ledger, head, job.spec.vram)) return false;
    return !is_preempted_in_time(scene, job, head);
}

}  // namespace

Reservation reserve(const Scene& scene, const Ledger& ledger, const Job& job, const Outlook& outlook) {
    Reservation head;
    head.job = job.id;
    head.rank = rank_of(job.spec.job_class);
    head.needed = job.spec.vram;
    head.terms = outlook.terms;
    if (outlook.is_coming) {
        head.is_imminent = true;
        head.at = scene.now;
        return head;
    }
    std::vector<UnixMs> times;
    // Who was let past it and will be asked to leave does not put it off: it counts with the others' ends.
    for (const LiveJob& live : scene.snapshot.live) {
        const auto from = askable_from(scene, live, job);
        if (!from || live.lease.device != head.terms.device) continue;
        head.askable.emplace_back(live.job.id, *from);
        times.push_back(*from);
    }
    for (const Hold* hold : holders_beside(ledger, head)) {
        if (hold->end) times.push_back(*hold->end);
    }
    for (const HeadroomStep& step : scene.windows.headroom_steps()) times.push_back(step.from);
    std::sort(times.begin(), times.end());
    const Bytes missing = shortfall_now(ledger, head);
    for (const UnixMs at : times) {
        if (freed_by(scene, ledger, head, at) < missing) continue;
        head.at = std::max(at, scene.now);
        break;
    }
    return head;
}

const Reservation* pushed_by(const Scene& scene, const Ledger& ledger, const Job& job, const Fit& fit,
                             const std::vector<Reservation>& reservations) {
    for (const Reservation& reservation : reservations) {
        if (!fit.fits && ledger.is_kept_for(reservation.job)) continue;
        if (pushes(scene, ledger, job, fit, reservation)) return &reservation;
    }
    return nullptr;
}

UnixMs last_backfill(const Scene& scene, const Reservation& head) {
    const PreemptionPolicy& policy = scene.policy().preemption;
    // The youngest runs are protected from preemption, except from inference.
    const Millis protection = head.rank > 0 ? policy.min_run : Millis{};
    return *head.at - protection - policy.grace;
}

Gate reserved_gate(const Scene& scene, const Fit& fit, const Reservation& reservation) {
    Gate gate;
    gate.code = "vram_reserved_for_head";
    gate.jobs = {reservation.job};
    gate.vram = fit.terms;
    gate.value = fit.terms.needed.value;
    gate.limit = fit.terms.available.value;
    gate.text = scene.say([&] {
        const std::string text = "It would fit, but would push " + format_jobs(gate.jobs) +
                                 ", which is ahead and waits for " + format_bytes(reservation.needed);
        if (reservation.is_imminent) return text + "; memory for it is about to be freed.";
        if (!reservation.at) return text + ".";
        return text + ", expected by " + format_instant(scene, "", *reservation.at) + ".";
    });
    return gate;
}

}  // namespace nightshift
