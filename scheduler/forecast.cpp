#include "scheduler/forecast.h"

#include <algorithm>

#include "scheduler/admission.h"
#include "scheduler/gates.h"
#include "scheduler/runtime.h"

namespace nightshift {
namespace {

constexpr Millis kLeaveLikely = seconds(5);

enum class Quantile { kHalf, kNinety };

/// What a job takes of a device and of the machine.
struct Share {
    Bytes vram, ram;
    int cpu = 0, slots = 0;
    void add(const Share& other) {
        vram += other.vram;
        ram += other.ram;
        cpu += other.cpu;
        slots += other.slots;
    }
    void subtract(const Share& other) {
        vram -= other.vram;
        ram -= other.ram;
        cpu -= other.cpu;
        slots -= other.slots;
    }
    bool covers(const Share& need) const {
        return vram >= need.vram && ram >= need.ram && cpu >= need.cpu && slots >= need.slots;
    }
};

struct Release {
    UnixMs at;
    Share share;  ///< VRAM below 0 when the headroom steps up
};

/// A device and the machine as they are expected to be taken and given back.
class Timeline {
  public:
    Timeline(Share slack, UnixMs from) : slack_(slack), at_(from) {}
    void add(Release release) { releases_.push_back(release); }

    /// Starts a job as soon as it is ready and fits, not before the one placed before it.
    std::optional<UnixMs> place(const Share& need, UnixMs ready, std::optional<Millis> run) {
        advance(std::max(at_, ready));
        while (!slack_.covers(need)) {
            if (releases_.empty()) return std::nullopt;
            const auto next = std::min_element(releases_.begin(), releases_.end(), is_earlier);
            advance(next->at);
        }
        slack_.subtract(need);
        if (run) releases_.push_back({at_ + *run, need});
        return at_;
    }

  private:
    static bool is_earlier(const Release& a, const Release& b) { return a.at < b.at; }
    void advance(UnixMs to) {
        at_ = std::max(at_, to);
        std::erase_if(releases_, [this](const Release& release) {
            if (release.at > at_) return false;
            slack_.add(release.share);
            return true;
        });
    }

    Share slack_;
    UnixMs at_;
    std::vector<Release> releases_;
};

bool is_machine_gate(const Gate& gate) {
    return gate.group.empty() && (gate.code == "cpu" || gate.code == "ram" || gate.code == "group_limit");
}

/// When `count` of the jobs are expected to have ended; nothing when it is not known.
std::optional<UnixMs> ends_of(const Scene& scene, const std::vector<JobId>& jobs, std::size_t count) {
    std::vector<UnixMs> ends;
    for (const LiveJob& live : scene.snapshot.live) {
        if (std::find(jobs.begin(), jobs.end(), live.job.id) == jobs.end()) continue;
        if (const auto end = predicted_end(live, scene.snapshot, scene.now)) ends.push_back(*end);
    }
    std::sort(ends.begin(), ends.end());
    if (count == 0 || ends.size() < count) return std::nullopt;
    return ends[count - 1];
}

/// When a gate that other jobs keep closed is expected to open.
std::optional<UnixMs> expected_opening(const Scene& scene, const Gate& gate) {
    if (gate.opens_at) return gate.opens_at;
    if (gate.code == "only_when_idle") return ends_of(scene, gate.jobs, gate.jobs.size());
    if (gate.code == "group_limit" && gate.jobs.size() == static_cast<std::size_t>(gate.value)) {
        return ends_of(scene, gate.jobs, static_cast<std::size_t>(gate.value - gate.limit + 1));
    }
    return std::nullopt;
}

/// When every gate but room is open; nothing when one of them opens at an unknown time.
std::optional<UnixMs> ready_at(const Scene& scene, const Explanation& explanation, std::string& unknown) {
    UnixMs ready = scene.now;
    for (const Gate& gate : explanation.gates) {
        if (is_room_gate(gate.code) || is_machine_gate(gate)) continue;
        const auto opening = expected_opening(scene, gate);
        if (!opening) {
            unknown = gate.code;
            return std::nullopt;
        }
        ready = std::max(ready, *opening);
    }
    return ready;
}

const Job* find_candidate(const Snapshot& snapshot, JobId id) {
    for (const auto& jobs : snapshot.candidates) {
        for (const Job& job : jobs) {
            if (job.id == id) return &job;
        }
    }
    return nullptr;
}

/// The queue ahead of one job, on one device (none when it needs no VRAM).
class Queue {
  public:
    Queue(const Scene& scene, const Ledger& ledger, const Job& job, const VramTerms* terms)
        : scene_(scene), ledger_(ledger), job_(job), terms_(terms) {}

    std::optional<UnixMs> start_of(const Plan& plan, UnixMs ready, Quantile quantile) const {
        Timeline timeline = timeline_of(quantile);
        for (const Explanation& other : plan.waiting) {
            if (other.job == job_.id) break;
            const Job* ahead = find_candidate(scene_.snapshot, other.job);
            const bool competes = ahead != nullptr && is_eligible(other) &&
                                  std::any_of(other.gates.begin(), other.gates.end(),
                                              [this](const Gate& gate) { return is_shared(gate); });
            if (!competes) continue;
            const auto run = predict_run(*ahead, scene_.snapshot);
            const auto placed = timeline.place(share_of(*ahead, is_on_device(other)), scene_.now,
                                               quantile == Quantile::kHalf ? run.p50 : run.p90);
            if (!placed) return std::nullopt;
        }
        return timeline.place(share_of(job_, terms_ != nullptr), ready, std::nullopt);
    }

  private:
    bool is_shared(const Gate& gate) const {
        return is_machine_gate(gate) ||
               (gate.vram && terms_ != nullptr && gate.vram->device == terms_->device);
    }
    bool is_on_device(const Explanation& other) const {
        return std::any_of(other.gates.begin(), other.gates.end(), [this](const Gate& gate) {
            return gate.vram && terms_ != nullptr && gate.vram->device == terms_->device;
        });
    }
    bool is_cpu_seen(JobClass job_class) const {
        return job_.spec.job_class != JobClass::kInference || job_class == JobClass::kInference;
    }
    Share share_of(const Job& job, bool has_vram) const {
        const int cpu = is_cpu_seen(job.spec.job_class) ? cpu_need(job.spec, scene_.snapshot) : 0;
        return {has_vram ? job.spec.vram : Bytes{}, job.spec.ram, cpu, 1};
    }
    Share share_of(const Hold& hold) const {
        const bool is_here = terms_ != nullptr && hold.device == terms_->device;
        Share share{is_here ? hold.bytes : Bytes{}, Bytes{}, 0, 0};
        if (hold.is_reclaiming) return share;
        return {share.vram, hold.ram, is_cpu_seen(hold.job_class) ? hold.cpu : 0, 1};
    }

    Timeline timeline_of(Quantile quantile) const {
        const Snapshot& s = scene_.snapshot;
        Share slack{terms_ != nullptr ? slack_of(*terms_) : Bytes{}, s.ram_total, s.cpu_total,
                    scene_.policy().limits.running};
        if (s.ram_total.value <= 0) slack.ram = Bytes{INT64_MAX / 4};  // not known, so not bounded
        for (const Hold& hold : ledger_.holds()) {
            Share taken = share_of(hold);
            taken.vram = Bytes{};  // in the terms already
            slack.subtract(taken);
        }
        Timeline timeline(slack, scene_.now);
        for (const Hold& hold : ledger_.holds()) {
            if (hold.is_leaving) {
                const Millis wait =
                    quantile == Quantile::kHalf ? kLeaveLikely : scene_.policy().preemption.grace;
                timeline.add({scene_.now + wait, share_of(hold)});
            } else if (hold.end) {
                // Ends are known cautiously; four fifths of the remaining time is a fair p50.
                const Millis left = *hold.end - scene_.now;
                const Millis wait = quantile == Quantile::kHalf ? Millis{left.value * 4 / 5} : left;
                timeline.add({scene_.now + wait, share_of(hold)});
            }
        }
        const auto& steps = scene_.windows.headroom_steps();
        const bool has_headroom = terms_ != nullptr && terms_->headroom.value > 0;
        for (std::size_t i = 1; i < steps.size() && has_headroom; ++i) {
            timeline.add({steps[i].from, Share{steps[i - 1].vram - steps[i].vram, Bytes{}, 0, 0}});
        }
        return timeline;
    }

    const Scene& scene_;
    const Ledger& ledger_;
    const Job& job_;
    const VramTerms* terms_;
};

}  // namespace

Eta forecast(const Scene& scene, const Ledger& ledger, const Plan& plan, const Job& job,
             const Explanation& explanation) {
    if (explanation.gates.empty()) return {scene.now, scene.now, "it starts now"};
    std::string unknown;
    const auto ready = ready_at(scene, explanation, unknown);
    if (!ready) return {std::nullopt, std::nullopt, "nobody knows when the gate " + unknown + " opens"};
    const auto vram = std::find_if(explanation.gates.begin(), explanation.gates.end(),
                                   [](const Gate& gate) { return gate.vram.has_value(); });
    const bool has_vram = vram != explanation.gates.end();
    const bool has_machine = std::any_of(explanation.gates.begin(), explanation.gates.end(), is_machine_gate);
    if (!has_vram && !has_machine) {
        const bool is_queued = std::any_of(explanation.gates.begin(), explanation.gates.end(),
                                           [](const Gate& gate) { return is_room_gate(gate.code); });
        if (is_queued) return {std::nullopt, std::nullopt, "too many jobs are ahead of it to tell"};
        return {ready, ready, "the times at which its gates are expected to open"};
    }
    const Queue queue(scene, ledger, job, has_vram ? &*vram->vram : nullptr);
    Eta eta;
    eta.p50 = queue.start_of(plan, *ready, Quantile::kHalf);
    eta.p90 = queue.start_of(plan, *ready, Quantile::kNinety);
    const std::string what = has_vram ? "memory" : "place on the machine";
    if (!eta.p50 || !eta.p90) {
        return {std::nullopt, std::nullopt, "the end of a job whose " + what + " it needs is not known"};
    }
    eta.p90 = std::max(*eta.p50, *eta.p90);
    eta.basis = "expected ends of the jobs that hold the " + what + " and of those ahead";
    return eta;
}

}  // namespace nightshift
