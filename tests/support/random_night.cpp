#include "tests/support/random_night.h"

namespace nightshift::tests {
namespace {

class Dice {
  public:
    explicit Dice(std::uint64_t seed) : engine_(seed) {}
    int between(int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine_); }
    bool one_in(int n) { return between(1, n) == 1; }
    JobClass job_class() { return kJobClasses[static_cast<std::size_t>(between(0, 3))]; }

  private:
    std::mt19937_64 engine_;
};

Bytes half_gibibytes(int n) {
    return Bytes{mebibytes(512).value * n};
}

void add_devices(Night& night, Dice& dice) {
    night.s.devices[0].device.total = half_gibibytes(dice.between(8, 48));
    if (dice.one_in(3)) {
        DeviceState second = night.s.devices[0];
        second.device.uuid = "GPU-b";
        second.device.index = 1;
        second.device.total = half_gibibytes(dice.between(8, 48));
        night.s.devices.push_back(second);
    }
    for (DeviceState& device : night.s.devices) {
        if (dice.one_in(3)) device.foreign = half_gibibytes(dice.between(0, 6));
    }
}

void add_policy(Night& night, Dice& dice) {
    Policy& policy = night.s.policy;
    night.add_window("night", "daily 22:00-06:00", dice.one_in(2) ? "UTC" : "Asia/Seoul");
    night.add_window("office", "mon-fri 08:00-19:00", "Europe/Berlin");
    if (dice.one_in(2)) {
        policy.of(JobClass::kInference).headroom = {{"office", half_gibibytes(dice.between(0, 16))},
                                                    {"", half_gibibytes(dice.between(0, 8))}};
    }
    if (dice.one_in(3)) policy.of(JobClass::kTraining).window = "night";
    if (dice.one_in(3)) policy.of(JobClass::kSynthesis).only_when_idle = {JobClass::kTraining};
    if (dice.one_in(4)) policy.of(JobClass::kSynthesis).vram_max = half_gibibytes(dice.between(1, 12));
    if (dice.one_in(4)) policy.of(JobClass::kTraining).gpus = {0};
    if (dice.one_in(3)) policy.limits.running = dice.between(1, 6);
    if (dice.one_in(4)) policy.limits.time_limit = hours(dice.between(1, 24));
}

void describe(JobSpec& spec, Dice& dice) {
    spec.priority = dice.one_in(3) ? dice.between(-5, 5) : 0;
    spec.cpu = dice.between(0, 3);
    spec.ram = half_gibibytes(dice.between(0, 8));
    spec.preemptible = spec.job_class != JobClass::kInference && !dice.one_in(3);
    spec.checkpoint = dice.one_in(3) ? CheckpointMode::kNone : CheckpointMode::kWorker;
    if (dice.one_in(2)) spec.estimate = minutes(dice.between(1, 300));
    if (dice.one_in(8)) spec.window = dice.one_in(2) ? "night" : "office";
}

void add_live(Night& night, Dice& dice, int& id) {
    std::vector<Bytes> room;
    for (const DeviceState& device : night.s.devices)
        room.push_back(device.device.total - night.s.policy.safety);
    for (int n = dice.between(0, 6); n > 0; --n) {
        const auto device = static_cast<std::size_t>(dice.between(0, static_cast<int>(room.size()) - 1));
        const Bytes vram = half_gibibytes(dice.between(0, 16));
        if (vram > room[device]) continue;
        room[device] -= vram;
        LiveJob& live = night.run(++id, dice.job_class(), vram, minutes(dice.between(0, 240)));
        describe(live.job.spec, dice);
        if (vram.value > 0) live.lease.device = night.s.devices[device].device.uuid;
        live.job.order_key = dice.between(1, 100);
        if (dice.one_in(2)) live.lease.used = Bytes{vram.value / 2};
        if (dice.one_in(3)) live.predicted_end = night.now + minutes(dice.between(-10, 200));
        constexpr JobState kStates[] = {JobState::kStarting, JobState::kYielding, JobState::kStopping};
        if (dice.one_in(6)) live.job.state = kStates[dice.between(0, 2)];
        if (live.job.state == JobState::kYielding && dice.one_in(2)) live.attempt.beneficiary = JobId{999};
        for (int p = dice.one_in(4) ? dice.between(0, 5) : 0; p > 0; --p) {
            live.preempted_at.push_back(night.now - minutes(dice.between(1, 2000)));
        }
    }
    if (dice.one_in(5)) {
        Lease lease;
        lease.attempt = {JobId{++id}, 1};
        lease.device = "GPU-a";
        lease.budget = std::min(room[0], half_gibibytes(dice.between(1, 8)));
        lease.is_reclaiming = true;
        night.s.reclaiming.push_back(lease);
    }
}

void add_candidates(Night& night, Dice& dice, int& id, const RandomNightOptions& options) {
    const int places = options.has_ties ? 3 : 100;
    for (int n = dice.between(0, 14); n > 0; --n) {
        const Bytes vram =
            dice.one_in(8) ? Bytes{} : half_gibibytes(dice.between(1, dice.one_in(6) ? 60 : 20));
        Job& job = night.wait(++id, dice.job_class(), vram);
        describe(job.spec, dice);
        job.order_key = dice.one_in(3) ? dice.between(1, 3) : dice.between(1, places);
        job.preemptions = dice.one_in(5) ? dice.between(0, 5) : 0;
        if (dice.one_in(2)) job.eligible_since = night.now - minutes(dice.between(0, 2000));
        if (dice.one_in(12)) job.spec.gpu = "GPU-b";
        if (dice.one_in(10)) job.spec.start_deadline = night.now + minutes(dice.between(-5, 60));
        if (!options.has_faults || !dice.one_in(10)) continue;
        if (dice.one_in(2)) job.spec.not_before = night.now + minutes(dice.between(1, 60));
        if (dice.one_in(2)) job.dependencies_open = 1;
        if (dice.one_in(2)) job.held = true;
    }
}

}  // namespace

Night random_night(std::uint64_t seed, const RandomNightOptions& options) {
    Dice dice(seed);
    Night night;
    night.now = utc(2026, 11, 16) + minutes(dice.between(0, 7 * 24 * 60));
    night.s.cpu_total = dice.between(2, 16);
    add_devices(night, dice);
    if (options.has_policy) add_policy(night, dice);
    int id = 0;
    add_live(night, dice, id);
    add_candidates(night, dice, id, options);
    if (dice.one_in(5)) night.s.last_preemption_at = night.now - seconds(dice.between(0, 120));
    if (dice.one_in(4))
        night.s.stats.push_back({"burn", dice.between(0, 9), minutes(20), minutes(60), gibibytes(2)});
    if (options.has_faults && dice.one_in(12)) night.s.is_paused = true;
    if (options.has_faults && dice.one_in(20)) night.s.is_draining = true;
    if (options.has_faults && dice.one_in(12)) {
        DeviceSample sample;
        sample.is_healthy = false;
        sample.fault = "XID 48";
        night.s.devices[0].sample = sample;
    }
    return night;
}

}  // namespace nightshift::tests
