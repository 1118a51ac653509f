// What must hold for every snapshot, tried on thousands of random nights. The checks recompute the
// sums from the snapshot; they share no code with the planner.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "scheduler/floor.h"
#include "scheduler/gates.h"
#include "scheduler/order.h"
#include "tests/support/many_nights.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

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

}  // namespace

TEST_CASE("properties: nothing is ever granted twice or beyond what there is") {
    int started = 0;
    for_each_night({}, nights(), [&](const Night& night) {
        const Plan plan = night.plan(Words::kNone);
        started += static_cast<int>(plan.starts.size());
        CHECK(overgrant(night, plan) == "");
    });
    CHECK(started > nights() / 2);  // the nights are not all blocked
}

TEST_CASE("properties: same snapshot, same plan, in whatever order the snapshot lists its jobs") {
    int tied = 0;  // nights in which the id alone says which of two jobs goes first
    for_each_night({.has_ties = true}, nights(), [&tied](const Night& night) {
        const std::string first = text_of(night.plan(Words::kNone));
        CHECK(first == text_of(night.plan(Words::kNone)));
        Night shuffled = night;
        std::mt19937_64 engine(7);
        for (auto& jobs : shuffled.s.candidates) std::shuffle(jobs.begin(), jobs.end(), engine);
        CHECK(first == text_of(shuffled.plan(Words::kNone)));
        const auto order = planning_order(night.s, night.now);
        tied += std::adjacent_find(order.begin(), order.end(), [&](const Job* a, const Job* b) {
                    return rank_of(a->spec.job_class) == rank_of(b->spec.job_class) &&
                           effective_priority(*a, night.now) == effective_priority(*b, night.now) &&
                           a->order_key == b->order_key;
                }) != order.end();
    });
    CHECK(tied > nights() / 200);
}

TEST_CASE("properties: a plan without words decides the same") {
    for_each_night({}, nights(), [](const Night& night) {
        const Plan with_words = night.plan();
        const Plan without = night.plan(Words::kNone);
        CHECK(text_of(with_words) == text_of(without));
        CHECK(with_words.next_wakeup == without.next_wakeup);
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
    int contested = 0;  // a higher class starts something although a lower one waits as well
    for_each_night({}, nights(), [&contested](const Night& night) {
        auto jobs = candidates_of(night.s);
        const Plan with_all = night.plan(Words::kNone);
        for (const int rank : {0, 1}) {
            if (rank == 1 && lifted_job(night.s, night.now) != nullptr) continue;  // the floor does
            Night higher = night;
            for (const JobClass c : kJobClasses) {
                if (rank_of(c) > rank) higher.s.candidates[static_cast<std::size_t>(c)].clear();
            }
            std::vector<std::int64_t> expected;
            for (const Start& start : higher.plan(Words::kNone).starts) expected.push_back(start.job.value);
            std::vector<std::int64_t> actual;
            for (const Start& start : with_all.starts) {
                if (rank_of(jobs.at(start.job.value).spec.job_class) <= rank)
                    actual.push_back(start.job.value);
            }
            CHECK(actual == expected);
            contested += !expected.empty() && expected.size() < jobs.size();
        }
    });
    CHECK(contested > nights() / 10);
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
