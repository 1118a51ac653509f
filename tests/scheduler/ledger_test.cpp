#include "scheduler/ledger.h"

#include <doctest/doctest.h>

#include "tests/support/night.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

VramTerms terms(const Night& night, JobClass job_class, Bytes vram, bool preemptible = true,
                std::optional<UnixMs> end = std::nullopt) {
    JobSpec spec;
    spec.job_class = job_class;
    spec.vram = vram;
    spec.preemptible = preemptible;
    const WindowBook windows(night.s.policy, night.zones, night.now);
    return Ledger(night.s, windows, night.now).terms(spec, night.s.devices.front(), end);
}

bool adds_up(const VramTerms& t) {
    const auto sum = t.capacity.value - t.safety.value - t.foreign.value - t.held.value - t.headroom.value;
    return t.available.value == std::max<std::int64_t>(sum, 0);
}

}  // namespace

TEST_CASE("ledger: without a policy only the safety is kept back") {
    Night night;
    const auto t = terms(night, JobClass::kTraining, gibibytes(1));
    CHECK(t.safety == mebibytes(512));
    CHECK(t.available == gibibytes(24) - mebibytes(512));
    CHECK(adds_up(t));
}

TEST_CASE("ledger: a job holds the larger of its budget and its use") {
    Night night;
    night.run(1, JobClass::kTraining, gibibytes(6));
    CHECK(terms(night, JobClass::kTraining, gibibytes(1)).held == gibibytes(6));  // nothing allocated yet
    night.s.live[0].lease.used = gibibytes(8);
    CHECK(terms(night, JobClass::kTraining, gibibytes(1)).held == gibibytes(8));
}

TEST_CASE("ledger: foreign memory is never granted") {
    Night night;
    night.s.devices[0].foreign = gibibytes(3);
    CHECK(terms(night, JobClass::kInference, gibibytes(1)).foreign == gibibytes(3));
    DeviceSample sample;
    sample.used = gibibytes(10);
    night.s.devices[0].sample = sample;
    // More is used than is known of: the difference is foreign, whatever the filter says.
    CHECK(terms(night, JobClass::kInference, gibibytes(1)).foreign == gibibytes(10));
    // What a job reserved and may be using already is not counted twice.
    night.run(1, JobClass::kTraining, gibibytes(9));
    CHECK(terms(night, JobClass::kInference, gibibytes(1)).foreign == gibibytes(3));
    CHECK(adds_up(terms(night, JobClass::kInference, gibibytes(1))));
}

TEST_CASE("ledger: bytes return only when the driver shows them") {
    Night night;
    Lease gone;
    gone.attempt = {JobId{9}, 1};
    gone.device = "GPU-a";
    gone.budget = gibibytes(5);
    gone.is_reclaiming = true;
    night.s.reclaiming.push_back(gone);
    const auto t = terms(night, JobClass::kInference, gibibytes(1));
    CHECK(t.held == gibibytes(5));
    REQUIRE(t.held_by.size() == 1);
    CHECK(t.held_by[0].first == JobId{9});
}

TEST_CASE("ledger: headroom is kept from everyone but inference, less what inference holds") {
    Night night;
    night.s.policy.of(JobClass::kInference).headroom = {{"", gibibytes(6)}};
    CHECK(terms(night, JobClass::kTraining, gibibytes(1)).headroom == gibibytes(6));
    CHECK(terms(night, JobClass::kInference, gibibytes(1)).headroom == Bytes{0});
    night.run(1, JobClass::kInference, gibibytes(4));
    CHECK(terms(night, JobClass::kSynthesis, gibibytes(1)).headroom == gibibytes(2));
    night.run(2, JobClass::kInference, gibibytes(4));
    CHECK(terms(night, JobClass::kSynthesis, gibibytes(1)).headroom == Bytes{0});
}

TEST_CASE("ledger: the first headroom entry whose window is open wins") {
    Night night;  // Friday 23:00
    night.add_window("office", "mon-fri 08:00-19:00");
    night.add_window("night", "mon-fri 22:00-06:00");
    auto& headroom = night.s.policy.of(JobClass::kInference).headroom;
    headroom = {{"office", gibibytes(8)}, {"night", gibibytes(2)}, {"", gibibytes(4)}};
    CHECK(terms(night, JobClass::kTraining, gibibytes(1)).headroom == gibibytes(2));
    CHECK(terms(night, JobClass::kTraining, gibibytes(1)).headroom_window == "night");
    night.now = utc(2026, 11, 20, 20);
    CHECK(terms(night, JobClass::kTraining, gibibytes(1)).headroom == gibibytes(4));
    night.now = utc(2026, 11, 20, 9);
    CHECK(terms(night, JobClass::kTraining, gibibytes(1)).headroom == gibibytes(8));
}

TEST_CASE("ledger: a job that cannot be preempted lives with the headroom of its whole run") {
    Night night;
    night.now = utc(2026, 11, 20, 5);
    night.add_window("office", "mon-fri 08:00-19:00");
    night.s.policy.of(JobClass::kInference).headroom = {{"office", gibibytes(8)}, {"", gibibytes(2)}};
    CHECK(terms(night, JobClass::kTraining, gibibytes(1), false, utc(2026, 11, 20, 7)).headroom ==
          gibibytes(2));
    CHECK(terms(night, JobClass::kTraining, gibibytes(1), false, utc(2026, 11, 20, 9)).headroom ==
          gibibytes(8));
    CHECK(terms(night, JobClass::kTraining, gibibytes(1), true, utc(2026, 11, 20, 9)).headroom ==
          gibibytes(2));
    CHECK(terms(night, JobClass::kTraining, gibibytes(1), false).headroom == gibibytes(8));  // who knows
}

TEST_CASE("ledger: an overcommitted device has nothing available and a negative slack") {
    Night night;
    night.run(1, JobClass::kTraining, gibibytes(20));
    night.s.devices[0].foreign = gibibytes(6);
    const auto t = terms(night, JobClass::kInference, gibibytes(1));
    CHECK(t.available == Bytes{0});
    CHECK(slack_of(t) < Bytes{0});
    CHECK(adds_up(t));
}

TEST_CASE("ledger: grants count at once, leaving bytes are on their way") {
    Night night;
    night.run(1, JobClass::kTraining, gibibytes(6)).job.state = JobState::kYielding;
    const WindowBook windows(night.s.policy, night.zones, night.now);
    Ledger ledger(night.s, windows, night.now);
    CHECK(ledger.leaving("GPU-a") == gibibytes(6));
    CHECK(ledger.is_leaving(JobId{1}));
    Job job = night.wait(2, JobClass::kTraining, gibibytes(3));
    job.spec.cpu = 2;
    job.spec.ram = gibibytes(1);
    ledger.grant(job, "GPU-a", std::nullopt);
    CHECK(ledger.running() == 2);
    CHECK(ledger.cpu_used(JobClass::kTraining) == 3);
    CHECK(ledger.ram_used() == gibibytes(1));
    CHECK(ledger.terms(job.spec, night.s.devices[0], std::nullopt).held == gibibytes(9));
    ledger.leave(JobId{2});
    CHECK(ledger.leaving("GPU-a") == gibibytes(9));
}

TEST_CASE("ledger: a grant does not account for memory that the driver showed before it") {
    Night night;
    DeviceSample sample;
    sample.used = gibibytes(6);
    night.s.devices[0].sample = sample;
    const WindowBook windows(night.s.policy, night.zones, night.now);
    Ledger ledger(night.s, windows, night.now);
    const Job job = night.wait(2, JobClass::kTraining, gibibytes(6));
    CHECK(ledger.terms(job.spec, night.s.devices[0], std::nullopt).foreign == gibibytes(6));
    ledger.grant(job, "GPU-a", std::nullopt);
    const auto behind = ledger.terms(job.spec, night.s.devices[0], std::nullopt);
    CHECK(behind.foreign == gibibytes(6));
    CHECK(behind.held == gibibytes(6));
    CHECK(adds_up(behind));
}

TEST_CASE("ledger: devices are allowed by the job's wish and the class's list") {
    Device device;
    device.uuid = "GPU-a";
    device.index = 1;
    Policy policy;
    JobSpec spec;
    CHECK(may_use(spec, policy, device));
    spec.gpu = "GPU-b";
    CHECK_FALSE(may_use(spec, policy, device));
    spec.gpu = "GPU-a";
    policy.of(JobClass::kTraining).gpus = {0};
    CHECK_FALSE(may_use(spec, policy, device));
    policy.of(JobClass::kTraining).gpus = {0, 1};
    CHECK(may_use(spec, policy, device));
}

TEST_CASE("ledger: who cannot be asked to leave lives with the headroom of a run of unknown length") {
    Night night;  // Friday 23:00
    night.add_window("office", "mon-fri 08:00-19:00");
    night.s.policy.of(JobClass::kInference).headroom = {{"office", gibibytes(8)}, {"", gibibytes(2)}};
    Job& job = night.wait(1, JobClass::kTraining, gibibytes(18));
    job.spec.preemptible = false;
    const Plan plan = night.plan();
    const Gate* gate = gate_of(plan, 1, "vram_headroom");
    REQUIRE(gate != nullptr);
    CHECK(gate->vram->headroom == gibibytes(8));
    job.spec.estimate = hours(3);  // over before Monday
    CHECK(starts(night.plan(), 1));
    job.spec.estimate.reset();
    job.spec.preemptible = true;  // may be asked when the office opens
    CHECK(starts(night.plan(), 1));
}

TEST_CASE("ledger: the largest budget is that of the largest card the job may use, within its class") {
    Night night;
    Policy& policy = night.s.policy;
    std::vector<Device> devices{night.s.devices[0].device, night.s.devices[0].device};
    devices[1].uuid = "GPU-b";
    devices[1].index = 1;
    devices[1].total = gibibytes(48);
    JobSpec spec;
    CHECK(budget_max(spec, policy, devices) == gibibytes(48) - policy.safety);
    spec.gpu = "GPU-a";
    CHECK(budget_max(spec, policy, devices) == gibibytes(24) - policy.safety);
    policy.of(spec.job_class).vram_max = gibibytes(10);
    CHECK(budget_max(spec, policy, devices) == gibibytes(10));
    devices = {Device{}};  // its driver has not answered yet
    CHECK(budget_max(spec, policy, devices) == gibibytes(10));
    CHECK(budget_max(spec, policy, {}) == Bytes{});
}
