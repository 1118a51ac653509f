#include "scheduler/gates.h"

#include <doctest/doctest.h>

#include "tests/support/night.h"

using namespace nightshift;
using namespace nightshift::tests;

TEST_CASE("gates: a lone job has none and starts") {
    Night night;
    night.wait(1, JobClass::kTraining, gibibytes(4));
    const Plan plan = night.plan();
    REQUIRE(plan.starts.size() == 1);
    CHECK(plan.starts[0].device == "GPU-a");
    CHECK(plan.starts[0].budget == gibibytes(4));
    CHECK(plan.waiting.empty());
}

TEST_CASE("gates: paused and draining queues start nothing and say so") {
    Night night;
    night.wait(1, JobClass::kInference, gibibytes(4));
    night.s.is_paused = true;
    night.s.pause_reason = "card is being cleaned";
    night.s.pause_until = night.now + minutes(10);
    Plan plan = night.plan();
    const Gate* gate = gate_of(plan, 1, "queue_paused");
    REQUIRE(gate != nullptr);
    CHECK(gate->opens_at == night.s.pause_until);
    CHECK(gate->text.find("card is being cleaned") != std::string::npos);
    CHECK(plan.next_wakeup == night.s.pause_until);
    night.now = *night.s.pause_until;
    CHECK(starts(night.plan(), 1));
    night.s.is_paused = false;
    night.s.is_draining = true;
    CHECK(gate_of(night.plan(), 1, "drain") != nullptr);
}

TEST_CASE("gates: held, dependencies and times are all listed together") {
    Night night;
    Job job = night.wait(1, JobClass::kTraining, gibibytes(4));
    night.s.candidates[1].clear();
    job.held = true;
    job.dependencies_open = 2;
    job.spec.after = {{JobId{7}}, {JobId{8}}};
    job.spec.not_before = night.now + hours(1);
    job.retry_at = night.now + minutes(5);
    const auto e = night.explain(job);
    REQUIRE(gate_of(e, "held") != nullptr);
    REQUIRE(gate_of(e, "dep_waiting") != nullptr);
    CHECK(gate_of(e, "dep_waiting")->jobs == std::vector<JobId>{JobId{7}, JobId{8}});
    REQUIRE(gate_of(e, "not_before") != nullptr);
    CHECK(gate_of(e, "not_before")->opens_at == job.spec.not_before);
    REQUIRE(gate_of(e, "retry_backoff") != nullptr);
    CHECK(e.gates.size() == 4);
    CHECK_FALSE(e.is_head_of_class);
    job.dependency_impossible = true;
    CHECK(gate_of(night.explain(job), "dep_impossible") != nullptr);
}

TEST_CASE("gates: a closed window says when it opens") {
    Night night;
    night.now = utc(2026, 11, 20, 12);
    night.add_window("night", "mon-fri 22:00-06:00");
    night.s.policy.of(JobClass::kTraining).window = "night";
    night.wait(1, JobClass::kTraining, gibibytes(4));
    night.wait(2, JobClass::kSynthesis, gibibytes(4));
    const Plan plan = night.plan();
    const Gate* gate = gate_of(plan, 1, "outside_window");
    REQUIRE(gate != nullptr);
    CHECK(gate->opens_at == utc(2026, 11, 20, 22));
    CHECK(gate->window == "night");
    CHECK(gate->text == "The window \"night\" opens Fri 22:00 (UTC).");
    CHECK(starts(plan, 2));
    CHECK(plan.next_wakeup == utc(2026, 11, 20, 22));
}

TEST_CASE("gates: a job's own window goes before its class's, and an unknown one stays closed") {
    Night night;
    night.add_window("day", "daily 08:00-19:00");
    night.add_window("night", "daily 22:00-06:00");
    night.s.policy.of(JobClass::kTraining).window = "day";
    night.wait(1, JobClass::kTraining, gibibytes(1)).spec.window = "night";
    night.wait(2, JobClass::kTraining, gibibytes(1)).spec.window = "weekend";
    const Plan plan = night.plan();
    CHECK(starts(plan, 1));
    REQUIRE(gate_of(plan, 2, "outside_window") != nullptr);
    CHECK(gate_of(plan, 2, "outside_window")->text.find("not in the policy") != std::string::npos);
}

TEST_CASE("gates: nothing starts that could do no useful work before its window closes") {
    Night night;
    night.add_window("night", "fri 22:00-06:00");
    night.s.policy.of(JobClass::kTraining).window = "night";
    Job& job = night.wait(1, JobClass::kTraining, gibibytes(4));
    night.now = utc(2026, 11, 21, 5, 58, 1);  // 119 s left, grace 60 s
    CHECK(gate_of(night.plan(), 1, "window_too_short") != nullptr);
    night.now = utc(2026, 11, 21, 5, 57);
    CHECK(starts(night.plan(), 1));
    // A short job that ends before the edge may start late.
    night.now = utc(2026, 11, 21, 5, 59);
    job.spec.estimate = seconds(20);
    CHECK(starts(night.plan(), 1));
    // One that cannot be preempted must fit whole.
    night.now = utc(2026, 11, 21, 4);
    job.spec.preemptible = false;
    job.spec.estimate = hours(3);
    CHECK(gate_of(night.plan(), 1, "window_too_short") != nullptr);
    job.spec.estimate = hours(1);
    CHECK(starts(night.plan(), 1));
}

TEST_CASE("gates: what can never run says so") {
    Night night;
    night.wait(1, JobClass::kTraining, gibibytes(30));
    night.wait(2, JobClass::kTraining, gibibytes(1)).spec.gpu = "GPU-z";
    night.wait(3, JobClass::kTraining, gibibytes(1)).spec.ram = gibibytes(1000);
    night.s.policy.of(JobClass::kSynthesis).vram_max = gibibytes(2);
    night.wait(4, JobClass::kSynthesis, gibibytes(4));
    night.wait(5, JobClass::kEvaluation, gibibytes(4));
    const Plan plan = night.plan();
    for (const int id : {1, 2, 3}) CHECK(gate_of(plan, id, "unsatisfiable") != nullptr);
    const Gate* limit = gate_of(plan, 4, "group_limit");
    REQUIRE(limit != nullptr);
    CHECK(limit->limit == gibibytes(2).value);
    CHECK(limit->value == gibibytes(4).value);
    CHECK(starts(plan, 5));  // nobody waits behind what can never run
}

TEST_CASE("gates: a job without VRAM needs no GPU at all") {
    Night night;
    night.s.devices.clear();
    night.wait(1, JobClass::kTraining, Bytes{0});
    night.wait(2, JobClass::kTraining, gibibytes(1));
    const Plan plan = night.plan();
    REQUIRE(plan.starts.size() == 1);
    CHECK(plan.starts[0].job == JobId{1});
    CHECK(plan.starts[0].device.empty());
    CHECK(plan.starts[0].budget == Bytes{0});
    CHECK(gate_of(plan, 2, "unsatisfiable") != nullptr);
}

TEST_CASE("gates: an unhealthy GPU closes for VRAM jobs and leaves the others alone") {
    Night night;
    DeviceSample sample;
    sample.is_healthy = false;
    sample.fault = "XID 79: fallen off the bus";
    night.s.devices[0].sample = sample;
    night.wait(1, JobClass::kInference, gibibytes(1));
    night.wait(2, JobClass::kTraining, Bytes{0});
    const Plan plan = night.plan();
    REQUIRE(gate_of(plan, 1, "gpu_unhealthy") != nullptr);
    CHECK(gate_of(plan, 1, "gpu_unhealthy")->text.find("XID 79") != std::string::npos);
    CHECK(starts(plan, 2));
}

TEST_CASE("gates: a GPU whose driver has not answered yet refuses nobody for good") {
    Night night;
    night.s.devices[0].device = Device{};
    night.s.devices[0].sample = DeviceSample{};
    night.s.devices[0].sample->is_healthy = false;
    night.s.devices[0].sample->fault = "The driver was updated.";
    Job& job = night.wait(1, JobClass::kTraining, gibibytes(100));
    job.spec.gpu = "GPU-a";
    const Plan plan = night.plan();
    CHECK(gate_of(plan, 1, "unsatisfiable") == nullptr);
    REQUIRE(gate_of(plan, 1, "gpu_unhealthy") != nullptr);
    CHECK(gate_of(plan, 1, "gpu_unhealthy")->text.find("The driver was updated. Jobs") != std::string::npos);
}

TEST_CASE("gates: running limit, RAM and CPU slots come with numbers") {
    Night night;
    night.s.policy.limits.running = 2;
    night.s.cpu_total = 4;
    night.run(1, JobClass::kTraining, Bytes{0}).job.spec.cpu = 3;
    night.s.live[0].job.spec.ram = gibibytes(60);
    night.run(2, JobClass::kTraining, Bytes{0}).job.spec.cpu = 1;
    Job& job = night.wait(3, JobClass::kTraining, Bytes{0});
    job.spec.ram = gibibytes(8);
    const Plan plan = night.plan();
    const Gate* running = gate_of(plan, 3, "group_limit");
    REQUIRE(running != nullptr);
    CHECK(running->limit == 2);
    CHECK(running->value == 2);
    const Gate* ram = gate_of(plan, 3, "ram");
    REQUIRE(ram != nullptr);
    CHECK(ram->limit == gibibytes(64).value);
    CHECK(ram->value == gibibytes(60).value);
    const Gate* cpu = gate_of(plan, 3, "cpu");
    REQUIRE(cpu != nullptr);
    CHECK(cpu->limit == 4);
    CHECK(cpu->value == 4);
}

TEST_CASE("gates: a job that asks for more slots than there are runs alone") {
    Night night;
    night.s.cpu_total = 2;
    night.wait(1, JobClass::kTraining, Bytes{0}).spec.cpu = 64;
    night.wait(2, JobClass::kTraining, Bytes{0});
    const Plan plan = night.plan();
    CHECK(starts(plan, 1));
    CHECK(gate_of(plan, 2, "cpu") != nullptr);
}

TEST_CASE("gates: nobody passes a job that waits for CPU slots") {
    Night night;
    night.s.cpu_total = 4;
    night.run(1, JobClass::kTraining, Bytes{0}).job.spec.cpu = 2;
    night.wait(2, JobClass::kTraining, Bytes{0}).spec.cpu = 4;
    night.wait(3, JobClass::kTraining, Bytes{0}).spec.cpu = 1;
    const Plan plan = night.plan();
    CHECK(plan.starts.empty());
    const Gate* gate = gate_of(plan, 3, "cpu");
    REQUIRE(gate != nullptr);
    CHECK(gate->jobs == std::vector<JobId>{JobId{2}});
}

TEST_CASE("gates: only_when_idle waits for live jobs and for jobs that wait for room") {
    Night night;
    night.s.policy.of(JobClass::kSynthesis).only_when_idle = {JobClass::kTraining};
    SUBCASE("a live training job") {
        night.run(1, JobClass::kTraining, gibibytes(4));
        night.wait(2, JobClass::kSynthesis, gibibytes(1));
        const Plan plan = night.plan();
        REQUIRE(gate_of(plan, 2, "only_when_idle") != nullptr);
        CHECK(gate_of(plan, 2, "only_when_idle")->jobs == std::vector<JobId>{JobId{1}});
    }
    SUBCASE("a training job that starts in the same plan") {
        night.wait(1, JobClass::kTraining, gibibytes(4));
        night.wait(2, JobClass::kSynthesis, gibibytes(1));
        const Plan plan = night.plan();
        CHECK(starts(plan, 1));
        CHECK(gate_of(plan, 2, "only_when_idle") != nullptr);
    }
    SUBCASE("a training job that waits for VRAM alone") {
        night.run(9, JobClass::kInference, gibibytes(20));
        night.wait(1, JobClass::kTraining, gibibytes(8));
        night.wait(2, JobClass::kSynthesis, gibibytes(1));
        CHECK(gate_of(night.plan(), 2, "only_when_idle") != nullptr);
    }
    SUBCASE("a training job outside its window does not count") {
        night.add_window("day", "daily 08:00-19:00");
        night.s.policy.of(JobClass::kTraining).window = "day";
        night.wait(1, JobClass::kTraining, gibibytes(8));
        night.wait(2, JobClass::kSynthesis, gibibytes(1));
        CHECK(starts(night.plan(), 2));
    }
    SUBCASE("two classes that wait for each other do not wait for ever") {
        night.s.policy.of(JobClass::kTraining).only_when_idle = {JobClass::kSynthesis};
        night.wait(1, JobClass::kTraining, gibibytes(8));
        night.wait(2, JobClass::kSynthesis, gibibytes(1));
        const Plan plan = night.plan();
        CHECK(starts(plan, 1));
        CHECK(gate_of(plan, 2, "only_when_idle") != nullptr);
    }
    SUBCASE("a class that names a lower one waits for its ready jobs") {
        night.s.policy.of(JobClass::kSynthesis).only_when_idle.clear();
        night.s.policy.of(JobClass::kEvaluation).only_when_idle = {JobClass::kSynthesis};
        night.wait(1, JobClass::kEvaluation, gibibytes(1));
        night.wait(2, JobClass::kSynthesis, gibibytes(1));
        const Plan plan = night.plan();
        CHECK(starts(plan, 2));
        CHECK(gate_of(plan, 1, "only_when_idle") != nullptr);
    }
}

TEST_CASE("gates: a passed start deadline expires the job") {
    Night night;
    night.wait(1, JobClass::kTraining, gibibytes(4)).spec.start_deadline = night.now;
    night.wait(2, JobClass::kTraining, gibibytes(4)).spec.start_deadline = night.now + Millis{1};
    const Plan plan = night.plan();
    CHECK(plan.expired == std::vector<JobId>{JobId{1}});
    CHECK(starts(plan, 2));
    CHECK_FALSE(starts(plan, 1));
}
