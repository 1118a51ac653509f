#include "scheduler/planner.h"

#include <doctest/doctest.h>

#include "scheduler/counterfactual.h"
#include "tests/support/night.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

const Counterfactual* find_change(const Explanation& e, const std::string& verb, int subject = 0) {
    for (const auto& change : e.would_start_if) {
        if (change.verb == verb && change.subject.value == subject) return &change;
    }
    return nullptr;
}

}  // namespace

TEST_CASE("planner: an empty night has nothing to do and no reason to wake up") {
    Night night;
    const Plan plan = night.plan();
    CHECK(plan.starts.empty());
    CHECK_FALSE(plan.next_wakeup.has_value());
    night.s.next_timer_hint = night.now + hours(1);
    CHECK(night.plan().next_wakeup == night.now + hours(1));
    night.s.next_timer_hint = night.now - hours(1);
    CHECK_FALSE(night.plan().next_wakeup.has_value());
}

TEST_CASE("planner: classes start in order until the card is full") {
    Night night;
    night.wait(1, JobClass::kSynthesis, gibibytes(10));
    night.wait(2, JobClass::kTraining, gibibytes(10));
    night.wait(3, JobClass::kInference, gibibytes(10));
    const Plan plan = night.plan();
    REQUIRE(plan.starts.size() == 2);
    CHECK(plan.starts[0].job == JobId{3});
    CHECK(plan.starts[1].job == JobId{2});
    CHECK(gate_of(plan, 1, "vram_budget") != nullptr);
    CHECK(gate_of(plan, 1, "vram_budget")->vram->held == gibibytes(20));
}

TEST_CASE("planner: explain says for a job what plan does") {
    Night night;
    night.run(1, JobClass::kTraining, gibibytes(20)).job.spec.preemptible = false;
    night.wait(2, JobClass::kTraining, gibibytes(8));
    night.wait(3, JobClass::kTraining, gibibytes(9));
    const Plan plan = night.plan();
    for (const Explanation& waiting : plan.waiting) {
        for (const Job& job : night.s.candidates[1]) {
            if (job.id != waiting.job) continue;
            const auto e = night.explain(job);
            REQUIRE(e.gates.size() == waiting.gates.size());
            CHECK(e.is_head_of_class == waiting.is_head_of_class);
            for (std::size_t i = 0; i < e.gates.size(); ++i) CHECK(e.gates[i].text == waiting.gates[i].text);
        }
    }
}

TEST_CASE("planner: a job that does not exist yet is explained like a stored one") {
    Night night;
    night.run(1, JobClass::kTraining, gibibytes(20));
    Job job = night.wait(2, JobClass::kTraining, gibibytes(8));
    night.s.candidates[1].clear();
    job.id = JobId{};
    job.order_key = INT64_MAX;
    auto e = night.explain(job, true);
    CHECK(gate_of(e, "vram_budget") != nullptr);
    CHECK(e.is_head_of_class);
    night.s.live.clear();
    e = night.explain(job, true);
    CHECK(e.gates.empty());
    CHECK(e.would_start_if.empty());
}

TEST_CASE("planner: a hypothetical inference job names the victim that would make room") {
    Night night;
    night.run(1, JobClass::kTraining, gibibytes(20));
    Job job = night.wait(2, JobClass::kInference, gibibytes(8));
    night.s.candidates[0].clear();
    job.id = JobId{};
    const auto e = night.explain(job, true);
    REQUIRE(gate_of(e, "vram_release_pending") != nullptr);
    CHECK(gate_of(e, "vram_release_pending")->jobs == std::vector<JobId>{JobId{1}});
}

TEST_CASE("planner: a job far behind the candidates still has a gate") {
    Night night;
    for (int id = 1; id <= kCandidatesPerClass; ++id)
        night.wait(id, JobClass::kTraining, Bytes{0}).spec.cpu = 0;
    night.s.policy.limits.running = 1000;
    Job far = night.wait(1000, JobClass::kTraining, Bytes{0});
    far.spec.cpu = 0;
    night.s.candidates[1].pop_back();
    night.s.waiting_count[1] = 5000;
    const auto e = night.explain(far);
    CHECK(gate_of(e, "order_behind") != nullptr);
    CHECK_FALSE(e.is_head_of_class);
}

TEST_CASE("planner: live and finished jobs have nothing to explain") {
    Night night;
    const Job job = night.run(1, JobClass::kTraining, gibibytes(20)).job;
    CHECK(night.explain(job, true).gates.empty());
    CHECK(night.explain(job, true).would_start_if.empty());
}

TEST_CASE("planner: only the first waiting job of a class is its head") {
    Night night;
    night.run(1, JobClass::kInference, gibibytes(20));
    for (int id = 2; id < 5; ++id) night.wait(id, JobClass::kTraining, gibibytes(8));
    night.wait(5, JobClass::kEvaluation, gibibytes(8));
    const Plan plan = night.plan();
    CHECK(plan.waiting[0].is_head_of_class);
    CHECK_FALSE(plan.waiting[1].is_head_of_class);
    CHECK_FALSE(plan.waiting[2].is_head_of_class);
    CHECK(plan.waiting[3].is_head_of_class);
    const Gate* behind = gate_of(plan, 4, "order_behind");
    REQUIRE(behind != nullptr);
    CHECK(behind->value == 2);
    CHECK(gate_of(plan, 5, "order_behind")->value == 3);  // same rank, one queue
}

TEST_CASE("planner: counterfactuals of a VRAM wait") {
    Night night;
    auto& holder = night.run(1, JobClass::kTraining, gibibytes(20));
    night.s.stats.push_back({"burn", 9, hours(1), hours(2), gibibytes(3)});
    Job job = night.wait(2, JobClass::kEvaluation, gibibytes(8));
    auto e = night.explain(job, true);
    // The holder came first and would take its place again.
    CHECK(find_change(e, "preempt", 1) == nullptr);
    const auto* smaller = find_change(e, "set_vram");
    REQUIRE(smaller != nullptr);
    CHECK(smaller->vram == Bytes{gibibytes(3).value + mebibytes(512).value});
    CHECK(smaller->action == "its budget is at most 3.5 GiB");
    CHECK(smaller->cost.find("9 runs of its kind took at most 3.0 GiB") != std::string::npos);
    holder.job.order_key = 100;
    holder.job.spec.checkpoint = CheckpointMode::kNone;
    e = night.explain(job, true);
    const auto* preempt = find_change(e, "preempt", 1);
    REQUIRE(preempt != nullptr);
    CHECK(preempt->action == "job 1 yields");
    CHECK(preempt->cost == "about 30 min of its work");
    CHECK(preempt->effect == "it starts now");
    holder.job.spec.preemptible = false;
    e = night.explain(job, true);
    CHECK(find_change(e, "cancel", 1) != nullptr);
}

TEST_CASE("planner: switches of a person come first, alone when they are enough") {
    Night night;
    Job job = night.wait(1, JobClass::kTraining, gibibytes(8));
    night.s.candidates[1].clear();
    job.held = true;
    night.s.is_paused = true;
    auto e = night.explain(job, true);
    REQUIRE(e.would_start_if.size() == 1);
    CHECK(e.would_start_if[0].verb == "release+resume_queue");
    CHECK(e.would_start_if[0].action == "the job is released and the queue is resumed");
    night.run(2, JobClass::kTraining, gibibytes(20)).job.spec.preemptible = false;
    e = night.explain(job, true);
    CHECK(find_change(e, "release+resume_queue+cancel", 2) != nullptr);
    CHECK(find_change(e, "release+resume_queue") == nullptr);
}

TEST_CASE("planner: a held inference job would make its victim yield") {
    Night night;
    night.run(1, JobClass::kTraining, gibibytes(20));
    Job job = night.wait(2, JobClass::kInference, gibibytes(8));
    night.s.candidates[0].clear();
    job.held = true;
    const auto e = night.explain(job, true);
    REQUIRE(e.would_start_if.size() == 1);
    CHECK(e.would_start_if[0].effect == "job 1 yields for it");
}

TEST_CASE("planner: the priority that would pass the queue is offered") {
    Night night;
    night.run(1, JobClass::kInference, gibibytes(16));
    night.wait(2, JobClass::kTraining, gibibytes(20));
    Job job = night.wait(3, JobClass::kTraining, gibibytes(7));
    job.spec.preemptible = false;
    night.s.candidates[1].back() = job;
    const auto e = night.explain(job, true);
    REQUIRE(gate_of(e, "vram_reserved_for_head") != nullptr);
    CHECK(find_change(e, "set_priority") != nullptr);
}

TEST_CASE("planner: two devices fill side by side and the sums stay apart") {
    Night night;
    DeviceState gpu = night.s.devices[0];
    gpu.device.uuid = "GPU-b";
    gpu.device.index = 1;
    night.s.devices.push_back(gpu);
    for (int id = 1; id <= 3; ++id) night.wait(id, JobClass::kTraining, gibibytes(20));
    const Plan plan = night.plan();
    REQUIRE(plan.starts.size() == 2);
    CHECK(plan.starts[0].device != plan.starts[1].device);
    CHECK(gate_of(plan, 3, "vram_budget")->vram->held == gibibytes(20));
}

TEST_CASE("planner: ageing wakes the planner only when somebody can be overtaken") {
    Night night;
    night.run(1, JobClass::kInference, gibibytes(20));
    night.wait(2, JobClass::kTraining, gibibytes(8)).eligible_since = night.now - minutes(10);
    CHECK_FALSE(night.plan().next_wakeup.has_value());
    night.wait(3, JobClass::kTraining, gibibytes(8)).eligible_since = night.now;
    CHECK(night.plan().next_wakeup == night.now + minutes(20));
}
