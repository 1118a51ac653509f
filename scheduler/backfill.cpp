#include "scheduler/backfill.h"

#include <algorithm>

#include "scheduler/runtime.h"

namespace nightshift {
namespace {

/// With more holders than this, "fits beside" is not examined and counts as no.
constexpr std::size_t kHoldersMax = 12;

std::vector<const Hold*> holders_on(const Ledger& ledger, const std::string& device) {
    std::vector<const Hold*> holders;
    for (const Hold& hold : ledger.holds()) {
        if (hold.device == device && hold.bytes.value > 0) holders.push_back(&hold);
    }
    return holders;
}

/// The head's shortfall now, against the ledger as it stands (starts of this pass included).
Bytes shortfall_now(const Ledger& ledger, const Reservation& head) {
    Bytes held;
    for (const Hold* hold : holders_on(ledger, head.terms.device)) held += hold->bytes;
    VramTerms terms = head.terms;
    terms.held = held;
    return shortfall_of(terms);
}

/// No set of holders, leaving in whatever order, is enough for the head alone but not for both.
bool fits_beside_in_any_order(const Ledger& ledger, const Reservation& head, Bytes extra) {
    const auto holders = holders_on(ledger, head.terms.device);
    if (holders.size() > kHoldersMax) return false;
    const Bytes missing = shortfall_now(ledger, head);
    for (std::size_t set = 0; set < std::size_t{1} << holders.size(); ++set) {
        Bytes freed;
        for (std::size_t i = 0; i < holders.size(); ++i) {
            if (set >> i & 1) freed += holders[i]->bytes;
        }
        if (freed >= missing && freed < missing + extra) return false;
    }
    return true;
}

/// At the reserved time the expected ends leave room for both.
bool fits_beside_at(const Ledger& ledger, const Reservation& head, Bytes extra) {
    Bytes freed;
    for (const Hold* hold : holders_on(ledger, head.terms.device)) {
        if (hold->is_leaving || (hold->end && *hold->end <= *head.at)) freed += hold->bytes;
    }
    return freed >= shortfall_now(ledger, head) + extra;
}

bool is_preempted_in_time(const Scene& scene, const Job& job, const Reservation& head) {
    const PreemptionPolicy& policy = scene.policy().preemption;
    if (!job.spec.preemptible || head.is_imminent || job.preemptions >= policy.max_per_day) return false;
    // The youngest runs are protected from preemption, except from inference.
    const bool is_protected = head.rank > 0;
    const Millis protection = is_protected ? policy.min_run : Millis{};
    return !head.at || scene.now + protection + policy.grace <= *head.at;
}

bool pushes(const Scene& scene, const Ledger& ledger, const Job& job, const Fit& fit, const Reservation& head) {
    if (head.terms.device != fit.device || fit.device.empty()) return false;
    const auto run = predict_run(job, scene.snapshot);
    if (head.at && run.p90 && scene.now + *run.p90 <= *head.at) return false;
    if (head.at && fits_beside_at(ledger, head, job.spec.vram)) return false;
    if (fits_beside_in_any_order(ledger, head, job.spec.vram)) return false;
    return !is_preempted_in_time(scene, job, head);
}

}  // namespace

Reservation reserve(const Scene& scene, const Ledger& ledger, const Job& job, const VramTerms& terms) {
    Reservation head;
    head.job = job.id;
    head.rank = rank_of(job.spec.job_class);
    head.needed = job.spec.vram;
    head.terms = terms;
    const Bytes missing = shortfall_of(terms);
    if (ledger.leaving(terms.device) >= missing) {
        head.is_imminent = true;
        head.at = scene.now;
        return head;
    }
    auto holders = holders_on(ledger, terms.device);
    std::erase_if(holders, [](const Hold* hold) { return !hold->end && !hold->is_leaving; });
    const auto end_of = [&scene](const Hold* hold) { return hold->is_leaving ? scene.now : *hold->end; };
    std::sort(holders.begin(), holders.end(), [&](const Hold* a, const Hold* b) { return end_of(a) < end_of(b); });
    Bytes freed;
    for (const Hold* hold : holders) {
        freed += hold->bytes;
        if (freed < missing) continue;
        head.at = end_of(hold);
        break;
    }
    return head;
}

const Reservation* pushed_by(const Scene& scene, const Ledger& ledger, const Job& job, const Fit& fit,
                             const std::vector<Reservation>& reservations) {
    for (const Reservation& reservation : reservations) {
        if (pushes(scene, ledger, job, fit, reservation)) return &reservation;
    }
    return nullptr;
}

Gate reserved_gate(const Scene& scene, const Fit& fit, const Reservation& reservation) {
    Gate gate;
    gate.code = "vram_reserved_for_head";
    gate.jobs = {reservation.job};
    gate.vram = fit.terms;
    gate.value = fit.terms.needed.value;
    gate.limit = fit.terms.available.value;
    gate.text = "It would fit, but would push " + format_jobs(gate.jobs) + ", which is ahead and waits for " +
                format_bytes(reservation.needed);
    if (reservation.is_imminent) {
        gate.text += "; memory for that is on its way.";
    } else if (reservation.at) {
        gate.text += ", expected by " + format_instant(scene, "", *reservation.at) + ".";
    } else {
        gate.text += ".";
    }
    return gate;
}

}  // namespace nightshift
