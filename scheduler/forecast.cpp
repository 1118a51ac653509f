#include "scheduler/forecast.h"

#include <algorithm>

#include "scheduler/admission.h"
#include "scheduler/gates.h"
#include "scheduler/runtime.h"

namespace nightshift {
namespace {

constexpr Millis kLeaveLikely = seconds(5);

enum class Quantile { kHalf, kNinety };

struct Release {
    UnixMs at;
    Bytes bytes;  ///< below 0 when the headroom steps up
};

/// Memory of one device as it is expected to come and go.
class Timeline {
  public:
    Timeline(Bytes slack, UnixMs from) : slack_(slack), at_(from) {}
    void add(Release release) { releases_.push_back(release); }

    /// Starts a job as soon as it is ready and fits, not before the one placed before it.
    std::optional<UnixMs> place(Bytes need, UnixMs ready, std::optional<Millis> run) {
        advance(std::max(at_, ready));
        while (slack_ < need) {
            if (releases_.empty()) return std::nullopt;
            const auto next = std::min_element(releases_.begin(), releases_.end(), is_earlier);
            advance(next->at);
        }
        slack_ -= need;
        if (run) releases_.push_back({at_ + *run, need});
        return at_;
    }

  private:
    static bool is_earlier(const Release& a, const Release& b) { return a.at < b.at; }
    void advance(UnixMs to) {
        at_ = std::max(at_, to);
        std::erase_if(releases_, [this](const Release& release) {
            if (release.at > at_) return false;
            slack_ += release.bytes;
            return true;
        });
    }

    Bytes slack_;
    UnixMs at_;
    std::vector<Release> releases_;
};

/// When every gate but room is open; nothing when one of them opens at an unknown time.
std::optional<UnixMs> ready_at(const Explanation& explanation, UnixMs now, std::string& unknown) {
    UnixMs ready = now;
    for (const Gate& gate : explanation.gates) {
        if (is_room_gate(gate.code)) continue;
        if (!gate.opens_at) {
            unknown = gate.code;
            return std::nullopt;
        }
        ready = std::max(ready, *gate.opens_at);
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

Timeline timeline_of(const Scene& scene, const Ledger& ledger, const VramTerms& terms, Quantile quantile) {
    Timeline timeline(slack_of(terms), scene.now);
    for (const Hold& hold : ledger.holds()) {
        if (hold.device != terms.device) continue;
        if (hold.is_leaving) {
            const Millis wait = quantile == Quantile::kHalf ? kLeaveLikely : scene.policy().preemption.grace;
            timeline.add({scene.now + wait, hold.bytes});
        } else if (hold.end) {
            // Ends are known cautiously; half of the remaining time past the middle is a fair p50.
            const Millis left = *hold.end - scene.now;
            const Millis wait = quantile == Quantile::kHalf ? Millis{left.value * 4 / 5} : left;
            timeline.add({scene.now + wait, hold.bytes});
        }
    }
    const auto& steps = scene.windows.headroom_steps();
    for (std::size_t i = 1; i < steps.size() && terms.headroom.value > 0; ++i) {
        timeline.add({steps[i].from, steps[i - 1].vram - steps[i].vram});
    }
    return timeline;
}

std::optional<UnixMs> likely_start(const Scene& scene, const Ledger& ledger, const Plan& plan, const Job& job,
                                   const VramTerms& terms, UnixMs ready, Quantile quantile) {
    Timeline timeline = timeline_of(scene, ledger, terms, quantile);
    for (const Explanation& other : plan.waiting) {
        if (other.job == job.id) break;
        const Job* ahead = find_candidate(scene.snapshot, other.job);
        const bool competes = ahead != nullptr && is_eligible(other) &&
                              std::any_of(other.gates.begin(), other.gates.end(), [&terms](const Gate& gate) {
                                  return gate.vram && gate.vram->device == terms.device;
                              });
        if (!competes) continue;
        const auto run = predict_run(*ahead, scene.snapshot);
        const auto placed =
            timeline.place(ahead->spec.vram, scene.now, quantile == Quantile::kHalf ? run.p50 : run.p90);
        if (!placed) return std::nullopt;
    }
    return timeline.place(job.spec.vram, ready, std::nullopt);
}

}  // namespace

Eta forecast(const Scene& scene, const Ledger& ledger, const Plan& plan, const Job& job,
             const Explanation& explanation) {
    if (explanation.gates.empty()) return {scene.now, scene.now, "it starts now"};
    std::string unknown;
    const auto ready = ready_at(explanation, scene.now, unknown);
    if (!ready) return {std::nullopt, std::nullopt, "nobody knows when the gate " + unknown + " opens"};
    const auto vram = std::find_if(explanation.gates.begin(), explanation.gates.end(),
                                   [](const Gate& gate) { return gate.vram.has_value(); });
    if (vram == explanation.gates.end()) {
        const bool is_queued = std::any_of(explanation.gates.begin(), explanation.gates.end(),
                                           [](const Gate& gate) { return is_room_gate(gate.code); });
        if (is_queued) return {std::nullopt, std::nullopt, "too many jobs are ahead of it to tell"};
        return {ready, ready, "the times at which its gates open"};
    }
    Eta eta;
    eta.p50 = likely_start(scene, ledger, plan, job, *vram->vram, *ready, Quantile::kHalf);
    eta.p90 = likely_start(scene, ledger, plan, job, *vram->vram, *ready, Quantile::kNinety);
    if (!eta.p50 || !eta.p90) {
        return {std::nullopt, std::nullopt, "the end of a job whose memory it needs is not known"};
    }
    eta.p90 = std::max(*eta.p50, *eta.p90);
    eta.basis = "expected ends of the jobs that hold the memory and of those ahead";
    return eta;
}

}  // namespace nightshift
