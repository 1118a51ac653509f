#include "tests/product_sim/product_world.h"

#include <filesystem>

#include "scheduler/crash_ending.h"
#include "scheduler/crash_point.h"

namespace nightshift::tests {

namespace {

constexpr Millis kNight = minutes(50);
/// Handlers at one instant: more of them never come to rest.
constexpr int kHandlersMax = 50'000;
/// Until the newest trouble is forgotten by all.
constexpr Millis kWellAfter = seconds(5);
constexpr Millis kDrainStep = minutes(3);
/// The longest that a daemon or a machine stays away.
constexpr Millis kAwayMax = minutes(5);
/// Longer by as much as the clock was set back: a job that may not start before a time waits for it.
constexpr Millis kDrainMax = hours(30);

[[noreturn]] void daemon_dies() {
    throw DaemonDied{};
}

/// Memory of a file system that is memory, where there is one: nights write a lot.
std::filesystem::path scratch_place() {
    std::error_code code;
    const std::filesystem::path fast = "/dev/shm";
    return std::filesystem::is_directory(fast, code) ? fast : std::filesystem::temp_directory_path();
}

UnixMs start_of(Dice& dice) {
    // Two of the nights change to and from summer time in Berlin.
    switch (dice.between(0, 3)) {
        case 0:
            return utc(2026, 10, 24, 23, dice.between(0, 59));
        case 1:
            return utc(2027, 3, 27, 23, dice.between(0, 59));
        default:
            return utc(2026, 11, 20, dice.between(0, 23), dice.between(0, 59));
    }
}

std::vector<Bytes> totals_of(Dice& dice) {
    std::vector<Bytes> totals{gibibytes(dice.between(8, 24))};
    if (dice.one_in(3)) totals.push_back(totals.front());
    return totals;
}

std::vector<api::KindInfo> kinds() {
    api::KindInfo kind;
    kind.name = "work";
    kind.job_class = JobClass::kSynthesis;
    kind.params_schema_json = R"({"type": "object", "properties": {"work_ms": {"type": "integer"}}})";
    return {kind};
}

std::map<std::string, Bytes> total_by_device(const SimGpus& gpus) {
    std::map<std::string, Bytes> totals;
    for (const Device& device : gpus.devices()) totals[device.uuid] = device.total;
    return totals;
}

bool is_daemons(std::string_view point) {
    for (const std::string_view other :
         {"worker.", "start.", "control.", "http.", "file.", "answer.", "down."}) {
        if (point.starts_with(other)) return false;
    }
    return true;
}

}  // namespace

ProductWorld::ProductWorld(std::uint64_t seed, NightOptions options)
    : seed_(seed),
      options_(options),
      dice_(seed),
      agenda_(start_of(dice_)),
      diary_(agenda_),
      folder_(scratch_place()),
      kinds_(kinds()),
      disk_(folder_.path().string(), options_.has_power_cuts),
      machine_(agenda_, dice_, diary_, folder_.path().string()),
      has_driver_(!dice_.one_in(3)),
      gpus_(agenda_, dice_, machine_, totals_of(dice_)),
      observer_(agenda_, machine_, diary_, total_by_device(gpus_)),
      users_(agenda_, dice_, diary_, observer_, zones_, gpus_.devices().front().total - gibibytes(4)),
      ground_{agenda_, machine_, disk_, zones_, kinds_, folder_.path().string(), nullptr} {
    diary_.set_loud(options_.is_loud);
    ground_.make_probe = [this](daemon::GpuProbe::Claimed claimed) {
        if (has_driver_) return gpus_.make_probe();
        daemon::SimulateSpec spec;
        for (const Device& device : gpus_.devices()) spec.gpus.push_back(device.total);
        return daemon::make_fake_probe(spec, agenda_, std::move(claimed));
    };
    machine_.set_on_start([this](const Worker& worker, const wire::Start& start) {
        if (life_) observer_.note_start(*life_, worker, start);
    });
    machine_.set_on_asked([this](const AttemptId& attempt, bool is_cancel) {
        if (life_) observer_.note_asked(*life_, attempt, is_cancel);
    });
}

template <typename Code>
void ProductWorld::guarded(Code&& code) {
    try {
        code();
    } catch (const DaemonDied&) {
        ++deaths_at_points_;
        die("at a crash point");
    }
    if (disk_.is_power_gone()) lose_power();
}

void ProductWorld::settle() {
    for (int handlers = 0; life_; ++handlers) {
        if (handlers > kHandlersMax) diary_.fail("the daemon does not come to rest");
        bool has_run = false;
        guarded([&] { has_run = life_->run_one(); });
        if (!life_) return;
        if (life_->damage()) diary_.fail("the database is damaged: " + life_->damage()->message);
        if (life_->wants_to_stop()) return stop_daemon();
        if (!has_run) return;
    }
}

bool ProductWorld::is_well() const {
    return well_since_ && agenda_.steady() - *well_since_ > kWellAfter;
}

void ProductWorld::look() {
    if (!life_) return;
    const bool has_trouble = disk_.is_full() || life_->engine().loop().trouble() ||
                             life_->engine().loop().is_disk_low() || is_power_cut_planned_;
    if (has_trouble) well_since_.reset();
    if (!has_trouble && !well_since_) well_since_ = agenda_.steady();
    // Nothing stored, nothing new; but what never comes shows by the time alone.
    const std::int64_t commits = life_->engine().loop().commits();
    if (commits == commits_seen_ && agenda_.steady().value % 64 != 0) return;
    commits_seen_ = commits;
    observer_.look(*life_, is_well());
}

void ProductWorld::run_until(Millis end) {
    settle();
    while (auto happen = agenda_.next(end)) {
        guarded(happen);
        settle();
        look();
    }
}

// --- lives and deaths ---------------------------------------------------------------------------

void ProductWorld::start_daemon() {
    if (life_) return;
    diary_.note("the daemon starts");
    life_ = std::make_unique<Life>(ground_);
    commits_seen_ = -1;
    Status started;
    guarded([&] { started = life_->start(); });
    if (!life_) return;
    if (!started) {
        if (!disk_.is_full()) diary_.fail("the daemon does not start: " + started.error().message);
        return die("without room");
    }
    // A plain start is a promise; while the disk refuses, the look has to wait.
    if (!disk_.is_full() && !is_power_cut_planned_) observer_.look_after_start(*life_);
}

void ProductWorld::die(const std::string& why) {
    diary_.note("the daemon dies " + why);
    ++deaths_;
    disarm_crash_point();
    disk_.freeze();
    machine_.lose_daemon();
    life_.reset();
    disk_.thaw();
    users_.lose_answers();
    well_since_.reset();
    come_back(dice_.one_in(5) ? some_seconds(20, 240) : Millis{dice_.between(50, 4000)});
}

void ProductWorld::lose_power() {
    is_power_cut_planned_ = false;
    ++power_cuts_;
    disarm_crash_point();
    disk_.freeze();
    machine_.lose_power();
    life_.reset();
    const Loss loss = disk_.lose_power(dice_);
    diary_.note(std::string("the power fails: ") + to_string(loss));
    users_.lose_answers();
    well_since_.reset();
    come_back(some_seconds(20, 200));
}

void ProductWorld::stop_daemon() {
    diary_.note("the daemon stops");
    guarded([&] { life_->stop(); });
    if (!life_) return;
    machine_.lose_daemon();
    life_.reset();
    users_.lose_answers();
    well_since_.reset();
    come_back(some_seconds(1, 60));
}

void ProductWorld::come_back(Millis wait) {
    agenda_.after(wait, [this] {
        if (!is_calm_ && dice_.one_in(6)) arm_point();  // recovery dies, too
        start_daemon();
    });
}

void ProductWorld::arm_point() {
    std::vector<std::string_view> points;
    for (const std::string_view point : kCrashPoints) {
        if (is_daemons(point)) points.push_back(point);
    }
    const std::string text =
        std::string(points[static_cast<std::size_t>(dice_.between(0, static_cast<int>(points.size()) - 1))]) +
        ":" + std::to_string(dice_.between(1, 3));
    diary_.note("armed " + text);
    if (const Status armed = arm_crash_ending(text, daemon_dies); !armed) diary_.fail(armed.error().message);
}

void ProductWorld::plan_death() {
    agenda_.after(some_seconds(20, 800), [this] {
        if (is_calm_) return;
        plan_death();
        if (!life_) return;
        switch (dice_.between(0, 7)) {
            case 0:
                return die("by kill -9");
            case 1:
                return stop_daemon();
            case 2:
                if (!dice_.one_in(3)) break;
                life_->engine().commands().shut_down(true, "admin", [](const Result<void>&) {});
                return;
            case 3:  // in the middle of a cancel's grace
                users_.cancel_one(*life_);
                agenda_.after(some_seconds(0, 9), [this] {
                    if (life_ && !is_calm_) die("by kill -9");
                });
                return;
            default:
                break;
        }
        arm_point();
    });
}

// --- what else may happen -----------------------------------------------------------------------

void ProductWorld::plan_users() {
    agenda_.after(Millis{dice_.one_in(4) ? dice_.between(0, 50) : dice_.between(100, 200'000)}, [this] {
        if (is_calm_) return;
        if (life_) users_.act(*life_);
        plan_users();
    });
}

void ProductWorld::plan_power_cut() {
    agenda_.after(some_seconds(300, 5000), [this] {
        if (is_calm_) return;
        plan_power_cut();
        if (disk_.is_full() || is_power_cut_planned_) return;
        is_power_cut_planned_ = true;
        disk_.plan_power_cut(dice_.between(0, 60));
        // A machine that writes nothing loses its power all the same.
        agenda_.after(some_seconds(5, 30), [this, cuts = power_cuts_] {
            if (cuts == power_cuts_) lose_power();
        });
    });
}

void ProductWorld::plan_full_disk() {
    agenda_.after(some_seconds(400, 7000), [this] {
        if (is_calm_) return;
        plan_full_disk();
        if (dice_.one_in(2)) return fill_disk();
        // Schedules fire at full minutes: what is refused is theirs.
        const std::int64_t into_minute = agenda_.now().value % 60'000;
        agenda_.after(Millis{60'000 - into_minute - 300}, [this] { fill_disk(); });
    });
}

void ProductWorld::fill_disk() {
    if (is_calm_ || is_power_cut_planned_ || disk_.is_full()) return;
    diary_.note("the disk is full");
    ++full_disks_;
    disk_.set_full(true);
    agenda_.after(some_seconds(5, 300), [this] {
        if (!disk_.is_full()) return;
        diary_.note("the disk has room");
        disk_.set_full(false);
    });
}

void ProductWorld::plan_faults() {
    agenda_.after(some_seconds(60, 2400), [this] {
        if (is_calm_) return;
        plan_faults();
        const int roll = dice_.between(0, 9);
        if (roll < 5) {
            gpus_.set_foreign(dice_.one_in(2) ? Bytes{} : gibibytes(dice_.between(0, 6)));
        } else if (roll < 7 && options_.has_gpu_faults) {
            gpus_.set_healthy(false);
            agenda_.after(some_seconds(1, 200), [this] { gpus_.set_healthy(true); });
        } else if (roll < 8) {
            gpus_.set_latency(dice_.one_in(2) ? Millis{20} : seconds(dice_.between(1, 20)));
        } else if (options_.has_clock_jumps) {
            constexpr int kDay = 24 * 3600;
            const int size = dice_.one_in(6) ? kDay : dice_.one_in(3) ? 3600 : dice_.one_in(2) ? 60 : 1;
            const Millis by = seconds(dice_.between(-size, size));
            diary_.note("the clock jumps by " + std::to_string(by.value));
            if (by < Millis{}) set_back_ = set_back_ - by;
            agenda_.jump(by);
        }
    });
}

// --- the night ----------------------------------------------------------------------------------

void ProductWorld::run() {
    start_daemon();
    plan_users();
    plan_death();
    plan_faults();
    if (options_.has_power_cuts) plan_power_cut();
    if (options_.has_full_disk) plan_full_disk();
    run_until(kNight);
    drain();
}

void ProductWorld::drain() {
    diary_.note("quiet");
    is_calm_ = true;
    disarm_crash_point();
    machine_.calm_down();
    gpus_.set_foreign({});
    gpus_.set_healthy(true);
    gpus_.set_latency(Millis{20});
    if (disk_.is_full()) disk_.set_full(false);
    const Millis from = agenda_.steady();
    run_until(from + kAwayMax);
    if (!life_) diary_.fail("the daemon did not come back");
    users_.calm_down(*life_);
    while (agenda_.steady() - from < kDrainMax + set_back_) {
        run_until(agenda_.steady() + kDrainStep);
        if (!life_) diary_.fail("the daemon left");
        if (observer_.open_jobs() == 0) break;
        std::vector<JobId> hanging;
        for (const auto& [pid, worker] : machine_.workers()) {
            if (worker->hangs()) hanging.push_back(worker->attempt().job);
        }
        for (const JobId id : hanging) users_.cancel(*life_, id);
    }
    if (observer_.open_jobs() != 0) diary_.fail("jobs never came to their end:" + observer_.open_text());
    run_until(agenda_.steady() + kDrainStep);
    observer_.look(*life_, is_well());
    observer_.look_at_end(*life_);
    life_->stop();
    life_.reset();
}

}  // namespace nightshift::tests
