#include "scheduler/admission.h"

#include <doctest/doctest.h>

#include "tests/support/night.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

DeviceState second_gpu(Bytes total) {
    DeviceState gpu;
    gpu.device.uuid = "GPU-b";
    gpu.device.index = 1;
    gpu.device.total = total;
    return gpu;
}

}  // namespace

TEST_CASE("admission: the tightest device that fits is taken") {
    Night night;
    night.s.devices.push_back(second_gpu(gibibytes(8)));
    night.wait(1, JobClass::kTraining, gibibytes(6));
    night.wait(2, JobClass::kTraining, gibibytes(20));
    const Plan plan = night.plan();
    REQUIRE(plan.starts.size() == 2);
    CHECK(plan.starts[0].device == "GPU-b");
    CHECK(plan.starts[1].device == "GPU-a");
}

TEST_CASE("admission: classes keep to their GPUs") {
    Night night;
    night.s.devices.push_back(second_gpu(gibibytes(8)));
    night.s.policy.of(JobClass::kTraining).gpus = {0};
    night.wait(1, JobClass::kTraining, gibibytes(6));
    CHECK(night.plan().starts[0].device == "GPU-a");
}

TEST_CASE("admission: the code names what makes the shortfall") {
    Night night;
    SUBCASE("budgets of jobs") {
        night.run(1, JobClass::kInference, gibibytes(18));
        night.wait(2, JobClass::kTraining, gibibytes(8));
        const Plan plan = night.plan();
        const Gate* gate = gate_of(plan, 2, "vram_budget");
        REQUIRE(gate != nullptr);
        CHECK(gate->jobs == std::vector<JobId>{JobId{1}});
        CHECK(gate->text ==
              "8.0 GiB wanted, 5.5 GiB can be given to training now: 24.0 GiB card - 512 MiB safety"
              " - 18.0 GiB job 1 = 5.5 GiB.");
    }
    SUBCASE("headroom") {
        night.s.policy.of(JobClass::kInference).headroom = {{"", gibibytes(18)}};
        night.wait(2, JobClass::kTraining, gibibytes(8));
        CHECK(gate_of(night.plan(), 2, "vram_headroom") != nullptr);
    }
    SUBCASE("headroom that steps down at a known time") {
        night.now = utc(2026, 11, 20, 12);
        night.add_window("office", "mon-fri 08:00-19:00");
        night.s.policy.of(JobClass::kInference).headroom = {{"office", gibibytes(18)}, {"", gibibytes(2)}};
        night.wait(2, JobClass::kTraining, gibibytes(8));
        const Plan plan = night.plan();
        const Gate* gate = gate_of(plan, 2, "vram_headroom");
        REQUIRE(gate != nullptr);
        CHECK(gate->opens_at == utc(2026, 11, 20, 19));
        CHECK(plan.next_wakeup == utc(2026, 11, 20, 19));
        night.now = utc(2026, 11, 20, 19);
        CHECK(starts(night.plan(), 2));
    }
    SUBCASE("other programs") {
        night.s.devices[0].foreign = gibibytes(18);
        night.s.devices[0].foreign_programs = {{"blender", gibibytes(17)}};
        night.wait(2, JobClass::kTraining, gibibytes(8));
        const Plan plan = night.plan();
        const Gate* gate = gate_of(plan, 2, "vram_foreign");
        REQUIRE(gate != nullptr);
        CHECK(gate->text.find("blender 17.0 GiB") != std::string::npos);
    }
    SUBCASE("memory that is on its way back") {
        night.run(1, JobClass::kTraining, gibibytes(18)).job.state = JobState::kStopping;
        night.wait(2, JobClass::kInference, gibibytes(8));
        const Plan plan = night.plan();
        REQUIRE(gate_of(plan, 2, "vram_release_pending") != nullptr);
        CHECK(plan.yields.empty());
    }
    SUBCASE("a lease that the driver still shows") {
        Lease lease;
        lease.attempt = {JobId{1}, 1};
        lease.device = "GPU-a";
        lease.budget = gibibytes(20);
        lease.is_reclaiming = true;
        night.s.reclaiming.push_back(lease);
        night.wait(2, JobClass::kInference, gibibytes(8));
        CHECK(gate_of(night.plan(), 2, "vram_release_pending") != nullptr);
    }
}

TEST_CASE("admission: capacity is filled to the byte and no further") {
    Night night;
    const Bytes all = gibibytes(24) - mebibytes(512);
    night.wait(1, JobClass::kTraining, all);
    CHECK(starts(night.plan(), 1));
    night.s.candidates[1][0].spec.vram = all + Bytes{1};
    CHECK(gate_of(night.plan(), 1, "unsatisfiable") != nullptr);
}
