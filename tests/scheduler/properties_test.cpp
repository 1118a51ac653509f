// What must hold for every snapshot, tried on thousands of random nights. The checks recompute the
// sums from the snapshot; they share no code with the planner.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "scheduler/counterfactual.h"
#include "scheduler/floor.h"
#include "scheduler/gates.h"
#include "scheduler/order.h"
#include "scheduler/preemption.h"
#include "scheduler/runtime.h"
#include "tests/support/random_night.h"
#include "tests/support/seed.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

/// Fewer where only the rules' own tests matter (the mutation check), more when there is time.
int nights() {
    static const char* const wish = std::getenv("NIGHTSHIFT_NIGHTS");
    return wish != nullptr ? std::atoi(wish) : 20'000;
}

std::map<std::int64_t, Job> candidates_of(const Snapshot& s) {
    std::map<std::int64_t, Job> jobs;
    for (const auto& list : s.candidates) {
        for (const Job& job : list) jobs[job.id.value] = job;
    }
    return jobs;
}

std::string text_of(const Plan& plan) {
    std::string text;
    for (const Start& s : plan.starts) {
        text += "start " + std::to_string(s.job.value) + " " + s.device + " " +
                std::to_string(s.budget.value) + "\n";
    }
    for (const Yield& y : plan.yields) {
        text += "yield " + std::to_string(y.job.value) + " for " + std::to_string(y.beneficiary.value) + " " +
                y.reason + " " + std::to_string(y.deadline.value) + "\n";
    }
    for (const JobId id : plan.expired) text += "expired " + std::to_string(id.value) + "\n";
    for (const Explanation& e : plan.waiting) {
        text += "wait " + std::to_string(e.job.value) + (e.is_head_of_class ? " head" : "");
        for (const Gate& g : e.gates) text += " " + g.code;
        text += "\n";
    }
    return text;
}

std::int64_t held_on(const Snapshot& s, const std::string& device) {
    std::int64_t sum = 0;
    for (const LiveJob& live : s.live) {
        if (live.lease.device == device) sum += std::max(live.lease.budget.value, live.lease.used.value);
    }
    for (const Lease& lease : s.reclaiming) {
        if (lease.device == device) sum += std::max(lease.budget.value, lease.used.value);
    }
    return sum;
}

std::int64_t headroom_now(const Night& night) {
    for (const Headroom& entry : night.s.policy.of(JobClass::kInference).headroom) {
        const Window* window = night.s.policy.find_window(entry.window);
        if (window == nullptr || is_open(*window, night.zones, night.now)) return entry.vram.value;
    }
    return 0;
}

/// The first broken promise about sums, or nothing.
std::string overgrant(const Night& night, const Plan& plan) {
    auto jobs = candidates_of(night.s);
    for (const DeviceState& device : night.s.devices) {
        std::int64_t granted = 0;
        std::int64_t inference = 0;
        bool is_shared_used = false;
        for (const Start& start : plan.starts) {
            if (start.device != device.device.uuid) continue;
            const Job& job = jobs.at(start.job.value);
            if (start.budget != job.spec.vram) return "a budget that was not asked for";
            granted += start.budget.value;
            const bool is_inference = job.spec.job_class == JobClass::kInference;
            inference += is_inference ? start.budget.value : 0;
            is_shared_used = is_shared_used || !is_inference;
        }
        if (granted == 0) continue;
        const auto left = device.device.total.value - night.s.policy.safety.value - device.foreign.value -
                          held_on(night.s, device.device.uuid) - granted;
        if (left < 0) return "more VRAM than there is";
        for (const LiveJob& live : night.s.live) {
            const bool counts =
                live.lease.device == device.device.uuid && live.job.spec.job_class == JobClass::kInference;
            if (counts) inference += live.lease.held().value;
        }
        if (is_shared_used && left < headroom_now(night) - inference) return "headroom given away";
    }
    std::int64_t ram = 0;
    int cpu = 0;
    int inference_cpu = 0;  // it counts its own slots alone and starts beside the others
    for (const LiveJob& live : night.s.live) {
        ram += live.job.spec.ram.value;
        cpu += std::min(live.job.spec.cpu, night.s.cpu_total);
        if (live.job.spec.job_class == JobClass::kInference)
            inference_cpu += std::min(live.job.spec.cpu, night.s.cpu_total);
    }
    bool takes_ram = false;
    bool takes_cpu = false;
    for (const Start& start : plan.starts) {
        const JobSpec& spec = jobs.at(start.job.value).spec;
        ram += spec.ram.value;
        cpu += std::min(spec.cpu, night.s.cpu_total);
        takes_ram = takes_ram || spec.ram.value > 0;
        const bool is_inference = spec.job_class == JobClass::kInference;
        if (is_inference && spec.cpu > 0) {
            inference_cpu += std::min(spec.cpu, night.s.cpu_total);
            if (inference_cpu > night.s.cpu_total) return "more CPU slots for inference than there are";
        }
        takes_cpu = takes_cpu || (!is_inference && spec.cpu > 0);
    }
    if (takes_ram && ram > night.s.ram_total.value) return "more RAM than there is";
    if (takes_cpu && cpu > night.s.cpu_total) return "more CPU slots than there are";
    const auto running = static_cast<int>(night.s.live.size() + plan.starts.size());
    if (!plan.starts.empty() && running > night.s.policy.limits.running) return "more jobs than allowed";
    return "";
}

template <typename Check>
void for_each_night(const RandomNightOptions& options, int count, Check check) {
    for (int i = 0; i < count; ++i) {
        const auto seed = nightshift::tests::seed() + static_cast<std::uint64_t>(i);
        const Night night = random_night(seed, options);
        INFO("night seed ", seed);
        check(night);
    }
}

}  // namespace

TEST_CASE("properties: nothing is ever granted twice or beyond what there is") {
    int started = 0;
    for_each_night({}, nights(), [&](const Night& night) {
        const Plan plan = night.plan();
        started += static_cast<int>(plan.starts.size());
        CHECK(overgrant(night, plan) == "");
    });
    CHECK(started > nights() / 2);  // the nights are not all blocked
}

TEST_CASE("properties: same snapshot, same plan, in whatever order the snapshot lists its jobs") {
    for_each_night({}, nights(), [](const Night& night) {
        const std::string first = text_of(night.plan());
        CHECK(first == text_of(night.plan()));
        Night shuffled = night;
        std::mt19937_64 engine(7);
        for (auto& jobs : shuffled.s.candidates) std::shuffle(jobs.begin(), jobs.end(), engine);
        CHECK(first == text_of(shuffled.plan()));
    });
}

TEST_CASE("properties: every candidate starts, waits with a reason, or expires, exactly once") {
    for_each_night({}, nights(), [](const Night& night) {
        const Plan plan = night.plan();
        std::multiset<std::int64_t> seen;
        for (const Start& start : plan.starts) seen.insert(start.job.value);
        for (const JobId id : plan.expired) seen.insert(id.value);
        for (const Explanation& waiting : plan.waiting) {
            seen.insert(waiting.job.value);
            CHECK_FALSE(waiting.gates.empty());
            for (const Gate& gate : waiting.gates) CHECK_FALSE(gate.text.empty());
        }
        std::multiset<std::int64_t> expected;
        for (const auto& [id, job] : candidates_of(night.s)) expected.insert(id);
        CHECK(seen == expected);
        if (plan.next_wakeup) CHECK(*plan.next_wakeup > night.now);
    });
}

TEST_CASE("properties: the numbers of every VRAM gate add up") {
    int gates = 0;
    for_each_night({}, nights(), [&](const Night& night) {
        for (const Explanation& waiting : night.plan().waiting) {
            for (const Gate& gate : waiting.gates) {
                if (!gate.vram) continue;
                ++gates;
                const VramTerms& t = *gate.vram;
                const auto rest =
                    t.capacity.value - t.safety.value - t.foreign.value - t.held.value - t.headroom.value;
                CHECK(t.available.value == std::max<std::int64_t>(rest, 0));
                std::int64_t held = 0;
                for (const auto& [job, bytes] : t.held_by) held += bytes.value;
                CHECK(held == t.held.value);
                CHECK((t.available >= t.needed) == (gate.code == "vram_reserved_for_head"));
            }
        }
    });
    CHECK(gates > nights());
}

TEST_CASE("properties: lower classes change nothing for higher ones") {
    for_each_night({}, nights(), [](const Night& night) {
        auto jobs = candidates_of(night.s);
        const Plan with_all = night.plan();
        for (const int rank : {0, 1}) {
            if (rank == 1 && lifted_job(night.s, night.now) != nullptr) continue;  // the floor does
            Night higher = night;
            for (const JobClass c : kJobClasses) {
                if (rank_of(c) > rank) higher.s.candidates[static_cast<std::size_t>(c)].clear();
            }
            std::vector<std::int64_t> expected;
            for (const Start& start : higher.plan().starts) expected.push_back(start.job.value);
            std::vector<std::int64_t> actual;
            for (const Start& start : with_all.starts) {
                if (rank_of(jobs.at(start.job.value).spec.job_class) <= rank)
                    actual.push_back(start.job.value);
            }
            CHECK(actual == expected);
        }
    });
}

TEST_CASE("properties: only lower, running, preemptible jobs are asked, never one too many") {
    int preemptions = 0;
    for_each_night({}, nights(), [&](const Night& night) {
        const Plan plan = night.plan();
        auto jobs = candidates_of(night.s);
        std::set<std::int64_t> asked;
        std::set<std::int64_t> beneficiaries;
        for (const Yield& yield : plan.yields) {
            CHECK(asked.insert(yield.job.value).second);
            const auto live = std::find_if(night.s.live.begin(), night.s.live.end(),
                                           [&](const LiveJob& l) { return l.job.id == yield.job; });
            REQUIRE(live != night.s.live.end());
            CHECK(live->job.state == JobState::kRunning);
            CHECK(live->job.spec.preemptible);
            CHECK(yield.deadline >= night.now);
            if (yield.reason != "preempted") continue;
            ++preemptions;
            beneficiaries.insert(yield.beneficiary.value);
            const Job& winner = jobs.at(yield.beneficiary.value);
            CHECK(rank_of(winner.spec.job_class) <= rank_of(live->job.spec.job_class));
            if (rank_of(winner.spec.job_class) == rank_of(live->job.spec.job_class)) {
                CHECK(live->attempt.granted_at >= winner.eligible_since.value());
            }
            if (night.s.devices.size() > 1) continue;  // another start may make room on the other device
            // With this victim staying and the others gone, it would not start: nobody leaves in vain.
            Night fewer = night;
            std::erase_if(fewer.s.live, [&](const LiveJob& l) {
                return l.job.id != yield.job &&
                       std::any_of(plan.yields.begin(), plan.yields.end(),
                                   [&](const Yield& y) { return y.job == l.job.id; });
            });
            CHECK_FALSE(starts(fewer.plan(), static_cast<int>(yield.beneficiary.value)));
        }
        CHECK(beneficiaries.size() <= 1);
    });
    CHECK(preemptions > nights() / 100);
}

TEST_CASE("properties: backfill does not push the first waiting job") {
    int heads = 0;
    for_each_night({.has_policy = false}, nights(), [&](const Night& given) {
        // A job that the floor lifts is ahead, not behind.
        Night night = given;
        night.s.policy.floor_percent = 0;
        const Plan plan = night.plan();
        auto jobs = candidates_of(night.s);
        const auto vram_gate = [](const Explanation& e) {
            return std::find_if(e.gates.begin(), e.gates.end(),
                                [](const Gate& g) { return g.vram && g.code != "vram_reserved_for_head"; });
        };
        const auto head = std::find_if(plan.waiting.begin(), plan.waiting.end(), [&](const Explanation& e) {
            const bool is_ready = std::all_of(e.gates.begin(), e.gates.end(), [](const Gate& g) {
                return is_room_gate(g.code) || g.code == "cpu" || g.code == "ram" || g.code == "group_limit";
            });
            return is_ready && vram_gate(e) != e.gates.end();
        });
        if (head == plan.waiting.end()) return;
        const Job& first = jobs.at(head->job.value);
        const VramTerms& terms = *vram_gate(*head)->vram;
        const WindowBook windows(night.s.policy, night.zones, night.now);
        const Scene scene{night.s, night.zones, night.now, windows};
        struct End {
            UnixMs at;
            std::int64_t bytes;
        };
        std::vector<End> before;
        std::vector<End> after;
        std::int64_t extra = 0;
        bool is_unknown = false;
        for (const LiveJob& live : night.s.live) {
            if (live.lease.device != terms.device) continue;
            auto end = predicted_end(live, night.s, night.now);
            // Somebody who will be asked to leave for the head is gone for it from then on.
            const auto asked = askable_from(scene, live, first);
            if (asked && (!end || *asked < *end)) end = asked;
            const bool is_leaving = live.job.state == JobState::kYielding ||
                                    live.job.state == JobState::kStopping ||
                                    yields(plan, static_cast<int>(live.job.id.value));
            if (is_leaving)
                before.push_back({night.now, live.lease.held().value});
            else if (end)
                before.push_back({*end, live.lease.held().value});
            else
                is_unknown = true;
        }
        for (const Lease& lease : night.s.reclaiming) {
            if (lease.device == terms.device) before.push_back({night.now, lease.held().value});
        }
        for (const Start& start : plan.starts) {
            if (start.device != terms.device) continue;
            const Job& job = jobs.at(start.job.value);
            const auto run = predict_run(job, night.s);
            const bool is_behind = goes_before(first, job, night.now);
            if (!is_behind && run.p90) before.push_back({night.now + *run.p90, job.spec.vram.value});
            if (!is_behind || job.spec.preemptible) continue;
            extra += job.spec.vram.value;
            if (run.p90) after.push_back({night.now + *run.p90, job.spec.vram.value});
        }
        const auto time_to_fit = [&](std::vector<End> ends, std::int64_t missing) -> std::optional<UnixMs> {
            std::sort(ends.begin(), ends.end(), [](const End& a, const End& b) { return a.at < b.at; });
            for (const End& end : ends) {
                missing -= end.bytes;
                if (missing <= 0) return end.at;
            }
            return std::nullopt;
        };
        const std::int64_t missing = terms.needed.value - (terms.capacity.value - terms.safety.value -
                                                           terms.foreign.value - terms.held.value);
        const auto alone = time_to_fit(before, missing);
        if (!alone || extra == 0) return;
        ++heads;
        auto all = before;
        all.insert(all.end(), after.begin(), after.end());
        const auto together = time_to_fit(all, missing + extra);
        CAPTURE(is_unknown);
        REQUIRE(together.has_value());
        CHECK(*together <= *alone);
    });
    CHECK(heads > nights() / 150);
}

TEST_CASE("properties: explain says what plan does") {
    for_each_night({}, nights() / 10, [](const Night& night) {
        const auto jobs = candidates_of(night.s);
        for (const Explanation& waiting : night.plan().waiting) {
            const auto e = night.explain(jobs.at(waiting.job.value));
            CHECK(e.is_head_of_class == waiting.is_head_of_class);
            CHECK_FALSE(e.eta.basis.empty());
            CHECK(e.eta.p50.has_value() == e.eta.p90.has_value());
            if (e.eta.p50) CHECK(*e.eta.p50 >= night.now);
            if (e.eta.p50) CHECK(*e.eta.p50 <= *e.eta.p90);
            REQUIRE(e.gates.size() == waiting.gates.size());
            for (std::size_t i = 0; i < e.gates.size(); ++i) CHECK(e.gates[i].text == waiting.gates[i].text);
        }
    });
}

TEST_CASE("properties: each counterfactual, applied to the snapshot, gets the job going") {
    int tried = 0;
    for_each_night({}, nights() / 5, [&](const Night& night) {
        const auto jobs = candidates_of(night.s);
        for (const Explanation& waiting : night.plan().waiting) {
            const Job& job = jobs.at(waiting.job.value);
            for (const Counterfactual& change : night.explain(job, true).would_start_if) {
                ++tried;
                Night changed = night;
                Job changed_job = job;
                apply(change, changed.s, changed_job);
                auto& list = changed.s.candidates[static_cast<std::size_t>(job.spec.job_class)];
                std::erase_if(list, [&](const Job& j) { return j.id == job.id; });
                list.push_back(changed_job);
                const Plan plan = changed.plan();
                const bool makes_room = std::any_of(
                    plan.yields.begin(), plan.yields.end(),
                    [&](const Yield& y) { return y.beneficiary == job.id && y.reason == "preempted"; });
                CAPTURE(change.action);
                CHECK((starts(plan, static_cast<int>(job.id.value)) || makes_room));
                CHECK_FALSE(change.effect.empty());
                CHECK_FALSE(change.cost.empty());
            }
        }
    });
    CHECK(tried > nights() / 5);
}
