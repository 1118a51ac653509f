// Promises over time: a small world in which every run lasts exactly as long as was foretold.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "scheduler/gates.h"
#include "scheduler/runtime.h"
#include "tests/support/many_nights.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

constexpr Millis kLeave = seconds(5);

/// Plays the daemon's part on a Night: starts, ends, yields, ageing, device time.
class Replay {
  public:
    explicit Replay(Night night) : night_(std::move(night)) {}

    Night& night() { return night_; }
    UnixMs now() const { return night_.now; }
    const std::map<std::int64_t, UnixMs>& started() const { return started_; }
    const std::set<std::pair<std::int64_t, std::int64_t>>& preempted() const { return preempted_; }
    int snapshots() const { return snapshots_; }
    /// When each job was made to leave.
    const std::map<std::int64_t, std::vector<UnixMs>>& left_at() const { return left_at_; }
    Millis time_of(JobClass job_class) const {
        return night_.s.gpu_time[static_cast<std::size_t>(job_class)];
    }

    /// One decision and everything up to the next instant at which something can happen, not past `until`.
    void step(UnixMs until) {
        const Plan plan = night_.plan(Words::kNone);
        ++snapshots_;
        for (const Start& start : plan.starts) begin(start);
        for (const Yield& yield : plan.yields) ask(yield);
        for (const Explanation& waiting : plan.waiting) age(waiting);
        UnixMs next = until;
        if (plan.next_wakeup) next = std::min(next, *plan.next_wakeup);
        for (const LiveJob& live : night_.s.live) next = std::min(next, ends_.at(live.job.id.value));
        // A decision may follow from what this one changed.
        const bool is_settled = plan.starts.empty() && plan.yields.empty();
        if (is_settled) night_.now = std::max(next, night_.now + Millis{1});
        reap();
    }

  private:
    std::vector<Job>& queue_of(JobClass job_class) {
        return night_.s.candidates[static_cast<std::size_t>(job_class)];
    }

    void begin(const Start& start) {
        for (auto& jobs : night_.s.candidates) {
            const auto found =
                std::find_if(jobs.begin(), jobs.end(), [&](const Job& job) { return job.id == start.job; });
            if (found == jobs.end()) continue;
            LiveJob live;
            live.job = *found;
            jobs.erase(found);
            live.job.state = JobState::kRunning;
            live.job.eligible_time = eligible(live.job);
            live.job.eligible_since.reset();
            live.attempt.granted_at = night_.now;
            live.attempt.running_at = night_.now;
            live.lease.device = start.device;
            live.lease.budget = start.budget;
            live.lease.attempt.job = start.job;
            // As long as the planner cautiously reckons with.
            const Millis left = *predict_run(live.job, night_.s).p90;
            live.preempted_at = preempted_at_[start.job.value];
            ends_[start.job.value] = night_.now + std::max(left, Millis{1});
            live.predicted_end = ends_[start.job.value];
            started_.emplace(start.job.value, night_.now);
            night_.s.live.push_back(live);
            return;
        }
    }

    void ask(const Yield& yield) {
        if (yield.reason == "preempted") {
            preempted_.insert({yield.job.value, yield.beneficiary.value});
            left_at_[yield.job.value].push_back(night_.now);
            night_.s.last_preemption_at = night_.now;
        }
        for (LiveJob& live : night_.s.live) {
            if (live.job.id != yield.job) continue;
            live.job.state = JobState::kYielding;
            live.attempt.beneficiary = yield.beneficiary;
            live.preempted_at.push_back(night_.now);
            preempted_at_[yield.job.value].push_back(night_.now);
            ends_[yield.job.value] = std::min(ends_[yield.job.value], night_.now + kLeave);
        }
    }

    Millis eligible(const Job& job) const {
        return job.eligible_time + (job.eligible_since ? night_.now - *job.eligible_since : Millis{});
    }

    void age(const Explanation& waiting) {
        for (auto& jobs : night_.s.candidates) {
            for (Job& job : jobs) {
                if (job.id != waiting.job || is_eligible(waiting) == job.eligible_since.has_value()) continue;
                job.eligible_time = eligible(job);
                job.eligible_since = is_eligible(waiting) ? std::optional<UnixMs>(night_.now) : std::nullopt;
            }
        }
    }

    void reap() {
        for (std::size_t i = 0; i < night_.s.live.size();) {
            LiveJob& live = night_.s.live[i];
            if (ends_.at(live.job.id.value) > night_.now) {
                ++i;
                continue;
            }
            const Millis ran = night_.now - live.attempt.granted_at;
            Millis& held = night_.s.gpu_time[static_cast<std::size_t>(live.job.spec.job_class)];
            held = held + ran;
            if (live.job.state == JobState::kYielding) {
                Job job = live.job;
                job.state = JobState::kWaiting;
                job.run_time = job.run_time + ran;
                job.has_checkpoint = true;
                ++job.preemptions;
                queue_of(job.spec.job_class).push_back(job);
            }
            night_.s.live.erase(night_.s.live.begin() + static_cast<std::ptrdiff_t>(i));
        }
    }

    Night night_;
    std::map<std::int64_t, UnixMs> ends_, started_;
    std::map<std::int64_t, std::vector<UnixMs>> preempted_at_, left_at_;
    int snapshots_ = 0;
    std::set<std::pair<std::int64_t, std::int64_t>> preempted_;
};

/// Training that never stops coming: a few jobs of an hour each always wait.
void keep_training(Night& night, int& id) {
    while (night.s.candidates[1].size() < 3) {
        Job& job = night.wait(++id, JobClass::kTraining, gibibytes(20));
        job.spec.estimate = hours(1);
        job.spec.priority = 100;
        job.spec.preemptible = false;
    }
}

/// How long a synthesis job waits under such a stream.
Millis starved_for(int floor_percent, Millis at_most) {
    Night night;
    night.s.policy.floor_percent = floor_percent;
    night.wait(1, JobClass::kSynthesis, gibibytes(20)).spec.estimate = hours(2);
    Replay replay(std::move(night));
    const UnixMs from = replay.now();
    int id = 100;
    while (!replay.started().contains(1) && replay.now() - from < at_most) {
        keep_training(replay.night(), id);
        replay.step(from + at_most);
    }
    return replay.now() - from;
}

}  // namespace

TEST_CASE("promises: an endless stream of a higher class starves nobody beyond the floor's bound") {
    // The share of a day that it has to wait first, a step of the clock, and the run that is in its way.
    for (const int percent : {5, 10, 25}) {
        const Millis bound = Millis{hours(24).value / 100 * percent} + minutes(15) + hours(1);
        CAPTURE(percent);
        CHECK(starved_for(percent, hours(72)) <= bound);
    }
    CHECK(starved_for(0, hours(72)) == hours(72));  // switched off, it does starve
}

TEST_CASE("promises: whatever streams in above them, synthesis jobs start within the floor's bound") {
    int snapshots = 0;
    int starved = 0;  // waits that only the floor ended
    for (int trial = 0; snapshots < nights(); ++trial) {
        std::mt19937_64 engine(seed() + static_cast<std::uint64_t>(trial));
        const auto dice = [&engine](int low, int high) {
            return std::uniform_int_distribution<int>(low, high)(engine);
        };
        const int percent = dice(5, 25);
        const Millis run = minutes(dice(20, 120));
        constexpr int kWaiting = 3;
        Night night;
        night.s.policy.floor_percent = percent;
        for (int id = 1; id <= kWaiting; ++id) {
            Job& job = night.wait(id, JobClass::kSynthesis, gibibytes(dice(12, 23)));
            job.spec.estimate = run;
            job.spec.preemptible = dice(0, 1) == 0;
        }
        Replay replay(std::move(night));
        const UnixMs from = replay.now();
        // 5.5: the share of a day that it waits first, what the jobs ahead take until the class is below its
        // share again, the run that is in its way, and a step of the clock for each.
        const auto bound = [&](int ahead) {
            const Millis one = Millis{run.value * 5 / 4};
            return Millis{hours(24).value * percent / 100} + Millis{ahead * one.value * 100 / percent} +
                   Millis{(ahead + 1) * (one + hours(2) + minutes(15)).value};
        };
        int id = 100;
        const auto is_any_open = [&replay] {
            return !replay.started().contains(1) || !replay.started().contains(2) ||
                   !replay.started().contains(3);
        };
        while (is_any_open() && replay.now() - from < bound(kWaiting)) {
            auto& stream = replay.night().s.candidates;
            while (stream[1].size() + stream[2].size() < 3) {
                const auto job_class = dice(0, 2) == 0 ? JobClass::kEvaluation : JobClass::kTraining;
                Job& job = replay.night().wait(++id, job_class, gibibytes(dice(12, 23)));
                job.spec.estimate = minutes(dice(5, 75));
                job.spec.priority = dice(-100, 100);
                job.spec.preemptible = dice(0, 2) == 0;
            }
            replay.step(from + bound(kWaiting));
        }
        std::vector<Millis> waits;
        for (int wanted = 1; wanted <= kWaiting; ++wanted) {
            const auto at = replay.started().find(wanted);
            waits.push_back((at == replay.started().end() ? replay.now() + hours(1000) : at->second) - from);
        }
        std::sort(waits.begin(), waits.end());
        CAPTURE(trial);
        for (int ahead = 0; ahead < kWaiting; ++ahead) {
            const Millis wait = waits[static_cast<std::size_t>(ahead)];
            CAPTURE(ahead);
            CHECK(wait.value <= bound(ahead).value);
            starved += wait >= Millis{hours(24).value * percent / 100};
        }
        snapshots += replay.snapshots();
    }
    CHECK(starved > nights() / 1000);
}

TEST_CASE("promises: jobs behind it never make the first waiting job start later") {
    int heads = 0;
    for (int trial = 0; trial < 400; ++trial) {
        std::mt19937_64 engine(seed() + static_cast<std::uint64_t>(trial));
        const auto dice = [&engine](int low, int high) {
            return std::uniform_int_distribution<int>(low, high)(engine);
        };
        Night alone;
        alone.s.policy.floor_percent = 0;  // it lifts others on purpose
        std::int64_t room = 23;
        for (int id = 1; id <= 4; ++id) {
            const int vram = dice(2, 9);
            if (vram > room) continue;
            room -= vram;
            Job& job = alone.wait(id, JobClass::kTraining, gibibytes(vram));
            job.spec.estimate = minutes(dice(10, 300));
            job.spec.preemptible = false;
        }
        Job& head = alone.wait(50, JobClass::kTraining, gibibytes(dice(static_cast<int>(room) + 1, 23)));
        head.spec.estimate = minutes(60);
        head.spec.preemptible = false;
        Night crowded = alone;
        for (int id = 60; id < 68; ++id) {
            const auto job_class = dice(0, 1) == 0 ? JobClass::kTraining : JobClass::kSynthesis;
            Job& job = crowded.wait(id, job_class, gibibytes(dice(1, 8)));
            job.spec.estimate = minutes(dice(1, 400));
            job.spec.preemptible = dice(0, 2) == 0;
        }
        const auto start_of_head = [](const Night& night) {
            Replay replay(night);
            const UnixMs end = replay.now() + hours(48);
            while (!replay.started().contains(50) && replay.now() < end) replay.step(end);
            return replay.now();
        };
        const UnixMs promised = start_of_head(alone);
        const UnixMs kept = start_of_head(crowded);
        heads += promised > alone.now;
        CAPTURE(trial);
        CAPTURE((kept - promised).value);
        // A preemptible job that was let past it leaves within moments of the promised time.
        CHECK(kept - promised <= kLeave + Millis{1});
    }
    CHECK(heads > 100);
}

TEST_CASE("promises: nobody makes each other leave in turn, and nobody leaves more often than allowed") {
    int snapshots = 0;
    int preemptions = 0;
    int worn_out = 0;  // jobs that left as often as allowed
    for (int trial = 0; snapshots < nights(); ++trial) {
        std::mt19937_64 engine(seed() + static_cast<std::uint64_t>(trial));
        const auto dice = [&engine](int low, int high) {
            return std::uniform_int_distribution<int>(low, high)(engine);
        };
        Night empty;
        empty.s.policy.preemption.max_per_day = dice(1, 4);
        const auto most = static_cast<std::size_t>(empty.s.policy.preemption.max_per_day);
        Replay replay{std::move(empty)};
        const UnixMs end = replay.now() + hours(36);
        int id = 0;
        std::set<std::pair<std::int64_t, std::int64_t>> seen;
        while (replay.now() < end) {
            const auto job_class = kJobClasses[static_cast<std::size_t>(dice(0, 3))];
            Job& job = replay.night().wait(++id, job_class, gibibytes(dice(1, 20)));
            job.spec.estimate = minutes(dice(5, 200));
            const UnixMs next = replay.now() + minutes(dice(1, 60));
            while (replay.now() < next) {
                replay.step(next);
                for (const auto& pair : replay.preempted()) {
                    if (!seen.insert(pair).second) continue;
                    CAPTURE(trial);
                    CHECK_FALSE(seen.contains({pair.second, pair.first}));
                }
            }
        }
        for (const auto& [job, times] : replay.left_at()) {
            preemptions += static_cast<int>(times.size());
            worn_out += times.size() >= most;
            // Any `most` + 1 of them lie more than a day apart.
            for (std::size_t i = most; i < times.size(); ++i) CHECK(times[i] - times[i - most] >= hours(24));
        }
        snapshots += replay.snapshots();
    }
    CHECK(preemptions > nights() / 200);
    CHECK(worn_out > nights() / 1000);
}
