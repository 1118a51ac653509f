#include "scheduler/pass.h"

#include <algorithm>

#include "scheduler/admission.h"
#include "scheduler/defect.h"
#include "scheduler/groups.h"
#include "scheduler/order.h"
#include "scheduler/over_budget.h"
#include "scheduler/runtime.h"
#include "scheduler/window_edges.h"

namespace nightshift {
namespace {

std::size_t index_of(JobClass job_class) {
    return static_cast<std::size_t>(job_class);
}

bool opens_before(const Gate& a, const Gate& b) {
    return a.opens_at && (!b.opens_at || *a.opens_at < *b.opens_at);
}

}  // namespace

Pass::Pass(const Scene& scene, std::optional<JobId> words_for)
    : scene_(scene),
      words_for_(words_for),
      has_words_(scene.has_words),
      ledger_(scene.snapshot, scene.windows, scene.now),
      order_(planning_order(scene.snapshot, scene.now)) {
    for (const Job* job : order_) {
        choose_words(*job);
        standing_.push_back(standing_gates(scene_, *job));
    }
    for (const LiveJob& live : scene.snapshot.live) {
        activities_[index_of(live.job.spec.job_class)].live.push_back(live.job.id);
        running_.push_back(&live.job);
    }
    plan_.plan_seq = scene.snapshot.plan_seq;
}

Plan Pass::run(std::optional<JobId> until) {
    yield_at_window_edges();
    yield_over_budget();
    for (std::size_t i = 0; i < order_.size(); ++i) {
        decide(i);
        if (until && order_[i]->id == *until) break;
    }
    return std::move(plan_);
}

void Pass::yield_at_window_edges() {
    for (const Yield& yield : window_yields(scene_)) {
        ledger_.leave(yield.job);
        plan_.yields.push_back(yield);
    }
}

void Pass::yield_over_budget() {
    for (const Yield& yield : over_budget_yields(scene_, ledger_)) {
        ledger_.leave(yield.job);
        plan_.yields.push_back(yield);
    }
}

void Pass::decide(std::size_t index) {
    const Job& job = *order_[index];
    choose_words(job);
    if (job.spec.start_deadline && *job.spec.start_deadline <= scene_.now) {
        plan_.expired.push_back(job.id);
        return;
    }
    auto gates = closed_gates(index);
    const bool is_ready = gates.empty();  // but for room on the machine or a device
    const auto machine = machine_gates(scene_, job, ledger_, kept_for_);
    gates.insert(gates.end(), machine.begin(), machine.end());
    const auto fits = fits_of(scene_, ledger_, job);
    if (gates.empty()) {
        for (const Fit& fit : fits) {
            if (fit.fits && pushed_by(scene_, ledger_, job, fit, reservations_) == nullptr)
                return start(job, fit);
        }
    }
    wait_for_room(job, fits, gates, is_ready);
    record(job, std::move(gates));
}

std::vector<Gate> Pass::closed_gates(std::size_t index) const {
    auto gates = standing_[index];
    if (!scene_.policy().of(order_[index]->spec.job_class).only_when_idle.empty()) {
        if (auto gate = idle_gate(scene_, *order_[index], activities_for(index)))
            gates.push_back(std::move(*gate));
    }
    for (Gate& gate : limit_gates(scene_, *order_[index], running_)) gates.push_back(std::move(gate));
    return gates;
}

ClassActivities Pass::activities_for(std::size_t index) const {
    auto activities = activities_;
    // Jobs further down count when nothing but room can keep them from running. Those of a class that
    // itself waits for idleness do not: two classes would wait for each other for ever.
    for (std::size_t later = index + 1; later < order_.size(); ++later) {
        const JobClass job_class = order_[later]->spec.job_class;
        if (standing_[later].empty() && scene_.policy().of(job_class).only_when_idle.empty()) {
            activities[index_of(job_class)].waiting_for_room.push_back(order_[later]->id);
        }
    }
    return activities;
}

void Pass::start(const Job& job, const Fit& fit) {
    ledger_.grant(job, fit.device, end_when_started(job, scene_.snapshot, scene_.now));
    activities_[index_of(job.spec.job_class)].live.push_back(job.id);
    running_.push_back(&job);
    plan_.starts.push_back({job.id, fit.device, job.spec.vram});
}

void Pass::wait_for_room(const Job& job, const std::vector<Fit>& fits, std::vector<Gate>& gates,
                         bool is_ready) {
    if (fits.empty()) return;  // a standing gate says why no device can take it
    const Fit& best = fits.front();
    const std::size_t job_class = index_of(job.spec.job_class);
    const bool is_machine_short = !gates.empty();
    // Room on the machine that it made would go to the job that waits for the same ahead of it.
    const bool is_behind = std::any_of(gates.begin(), gates.end(), [this](const Gate& gate) {
        return std::any_of(kept_for_.begin(), kept_for_.end(),
                           [&gate](const auto& kept) { return kept.first == gate.code; });
    });
    if (best.fits) {
        const Reservation* head = pushed_by(scene_, ledger_, job, best, reservations_);
        if (NIGHTSHIFT_RULE(44, head != nullptr, false)) gates.push_back(reserved_gate(scene_, best, *head));
        if (is_ready && is_machine_short && head == nullptr) {
            remember_turn(job);
            std::vector<Gate> preemption;
            if (!is_behind) try_to_preempt(job, fits, preemption);
            if (is_behind || !set_aside(job, best)) keep_turn(job, gates);
            gates.insert(gates.end(), preemption.begin(), preemption.end());
        }
    } else if (!is_ready || has_room_head_[job_class]) {
        const Fit& nearest = nearest_fit(job, fits);
        const Outlook outlook = outlook_of(job, nearest);
        gates.push_back(vram_gate(scene_, ledger_, job, nearest.terms, outlook));
        if (is_ready && outlook.is_coming) set_aside(job, nearest);
    } else {
        std::vector<Gate> preemption;
        if (!is_behind) try_to_preempt(job, fits, preemption);
        // Made after the choice of victims, so that their bytes count as on their way.
        const Fit& nearest = nearest_fit(job, fits);
        const Outlook outlook = outlook_of(job, nearest);
        gates.push_back(vram_gate(scene_, ledger_, job, nearest.terms, outlook));
        reservations_.push_back(reserve(scene_, ledger_, job, outlook));
        // Its time, and those from which somebody may be asked to leave for it: others may pass then.
        if (reservations_.back().at) wake_at(*reservations_.back().at);
        for (const auto& [holder, from] : reservations_.back().askable) wake_at(from);
        if (outlook.is_coming && !set_aside(job, nearest)) keep_turn(job, gates);
        // One whose memory is on its way leaves the next one at the head.
        has_room_head_[job_class] = !outlook.is_coming;
        // Victims it may ask soon: nobody may slip in before and be young and protected then.
        if (!preemption.empty()) reservations_.back().is_imminent = true;
        gates.insert(gates.end(), preemption.begin(), preemption.end());
    }
    const bool lacks_vram =
        std::any_of(gates.begin(), gates.end(), [](const Gate& gate) { return gate.vram.has_value(); });
    if (!lacks_vram) return;
    add_order_gate(job, gates);
    if (is_ready) room_waiters_.emplace_back(rank_of(job.spec.job_class), job.id);
}

bool Pass::set_aside(const Job& job, const Fit& fit) {
    if (shortage_of(job, fit).is_any()) return false;
    ledger_.set_aside(job, fit.device, end_when_started(job, scene_.snapshot, scene_.now));
    return true;
}

void Pass::keep_turn(const Job& job, const std::vector<Gate>& gates) {
    for (const Gate& gate : gates) {
        if (!gate.vram) kept_for_.emplace_back(gate.code, job.id);
    }
}

void Pass::wake_at(UnixMs at) {
    if (at > scene_.now && (!plan_.next_wakeup || at < *plan_.next_wakeup)) plan_.next_wakeup = at;
}

void Pass::remember_turn(const Job& job) {
    const auto run = predict_run(job, scene_.snapshot);
    const auto offer = [this](UnixMs last) { wake_at(last + Millis{1}); };
    for (const Reservation& reservation : reservations_) {
        if (!reservation.at) continue;
        if (run.p90) offer(*reservation.at - *run.p90);
        if (job.spec.preemptible) offer(last_backfill(scene_, reservation));
    }
}

const Fit& Pass::nearest_fit(const Job& job, const std::vector<Fit>& fits) const {
    if (fits.size() == 1) return fits.front();
    const auto missing = [&](const Fit& fit) {
        return fit.terms.needed - slack_of(settled_terms(scene_, ledger_, job, fit));
    };
    return *std::min_element(fits.begin(), fits.end(),
                             [&missing](const Fit& a, const Fit& b) { return missing(a) < missing(b); });
}

Outlook Pass::outlook_of(const Job& job, const Fit& fit) const {
    Outlook outlook;
    outlook.terms = settled_terms(scene_, ledger_, job, fit);
    for (const Hold& hold : ledger_.kept()) {
        if (hold.device == fit.device) outlook.ahead.push_back(hold.job);
    }
    if (outlook.terms.available < outlook.terms.needed) return outlook;
    const Reservation* head = pushed_by(scene_, ledger_, job, fit, reservations_);
    outlook.is_coming = NIGHTSHIFT_RULE(53, head == nullptr, true);
    if (head != nullptr) outlook.ahead.push_back(head->job);
    return outlook;
}

void Pass::add_order_gate(const Job& job, std::vector<Gate>& gates) const {
    Gate gate;
    gate.code = "order_behind";
    for (const auto& [rank, id] : room_waiters_) {
        if (rank == rank_of(job.spec.job_class)) gate.jobs.push_back(id);
    }
    if (gate.jobs.empty()) return;
    gate.value = static_cast<std::int64_t>(gate.jobs.size());
    gate.text = scene_.say([&] {
        std::string text = format_jobs(gate.jobs) + (gate.jobs.size() == 1 ? " is" : " are") +
                           " ahead of it in the queue and " + (gate.jobs.size() == 1 ? "waits" : "wait") +
                           " for room.";
        text.front() = 'J';
        return text;
    });
    gates.push_back(std::move(gate));
}

bool Pass::try_to_preempt(const Job& job, const std::vector<Fit>& fits, std::vector<Gate>& gates) {
    PreemptionVerdict best;
    for (const Fit& fit : fits) {
        // Room made here would go to the job that reserved it first.
        const bool is_reserved =
            std::any_of(reservations_.begin(), reservations_.end(),
                        [&fit](const Reservation& r) { return r.terms.device == fit.device; });
        if (is_reserved && !fit.device.empty()) continue;
        const Shortage shortage = shortage_of(job, fit);
        if (!shortage.is_any()) return false;  // what it lacks is on its way back already
        auto verdict = choose_victims(scene_, ledger_, job, shortage);
        const bool is_better = !verdict.victims.empty() && (best.victims.empty() || verdict.lost < best.lost);
        if (is_better) {
            best = std::move(verdict);
        } else if (best.victims.empty() && verdict.gate &&
                   (!best.gate || opens_before(*verdict.gate, *best.gate))) {
            best.gate = std::move(verdict.gate);
        }
    }
    const bool is_first = std::none_of(plan_.yields.begin(), plan_.yields.end(),
                                       [](const Yield& yield) { return yield.reason == "preempted"; });
    if (!best.victims.empty() && !is_first) {
        best.victims.clear();
        best.gate.emplace();
        best.gate->code = "preemption_in_flight";
        best.gate->text = "One preemption at a time: another job makes room first.";
    }
    for (const LiveJob* victim : best.victims) {
        ledger_.leave(victim->job.id);
        plan_.yields.push_back(
            {victim->job.id, job.id, "preempted", scene_.now + scene_.policy().preemption.grace});
    }
    if (best.victims.empty() && best.gate) gates.push_back(std::move(*best.gate));
    return !best.victims.empty();
}

Shortage Pass::shortage_of(const Job& job, const Fit& fit) const {
    const JobClass job_class = job.spec.job_class;
    const MachineShare coming = ledger_.leaving_share(job_class);
    Shortage shortage;
    shortage.device = fit.device;
    shortage.is_for_inference = job_class == JobClass::kInference;
    if (!fit.device.empty()) {
        shortage.vram = fit.terms.needed - slack_of(settled_terms(scene_, ledger_, job, fit));
    }
    if (scene_.snapshot.ram_total.value > 0) {
        shortage.ram = ledger_.ram_used() + job.spec.ram - scene_.snapshot.ram_total - coming.ram;
    }
    const int cpu = cpu_need(job.spec, scene_.snapshot);
    if (cpu > 0) shortage.cpu = ledger_.cpu_used(job_class) + cpu - scene_.snapshot.cpu_total - coming.cpu;
    shortage.slots = ledger_.running() + 1 - scene_.policy().limits.running - coming.slots;
    return shortage;
}

void Pass::record(const Job& job, std::vector<Gate> gates) {
    const std::size_t job_class = index_of(job.spec.job_class);
    Explanation explanation;
    explanation.job = job.id;
    explanation.gates = std::move(gates);
    const bool is_hopeless = std::any_of(
        explanation.gates.begin(), explanation.gates.end(),
        [](const Gate& gate) { return gate.code == "unsatisfiable" || gate.code == "dep_impossible"; });
    explanation.is_head_of_class = !has_head_[job_class] && !job.held && !is_hopeless;
    if (waits_for_room_alone(explanation)) activities_[job_class].waiting_for_room.push_back(job.id);
    has_head_[job_class] = has_head_[job_class] || explanation.is_head_of_class;
    plan_.waiting.push_back(std::move(explanation));
}

}  // namespace nightshift
