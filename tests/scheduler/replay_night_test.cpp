// A night as a daemon lives it, with its delays, recorded and replayed: the same rules make every decision
// again.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "scheduler/gates.h"
#include "scheduler/replay.h"
#include "scheduler/transition.h"
#include "tests/support/dice.h"
#include "tests/support/night.h"
#include "tests/support/seed.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

/// Plays the daemon on one seed: processes come up late, save for a while, fail and are tried again; ended
/// jobs' memory comes back late; a start waits for a sample of the card; people cancel and send away.
class RecordedNight {
  public:
    explicit RecordedNight(std::uint64_t seed) : dice_(seed) {
        night_.now = utc(2026, 11, 20, 20) + Millis{dice_.between(0, 3'600'000)};
        if (dice_.one_in(2)) night_.add_window("night", "daily 22:00-02:00");
        if (dice_.one_in(2)) night_.s.policy.of(JobClass::kInference).headroom = {{"", gibibytes(3)}};
        if (dice_.one_in(3)) night_.s.policy.of(JobClass::kSynthesis).only_when_idle = {JobClass::kTraining};
        past_.from = night_.now;
        past_.until = night_.now + hours(9);
        past_.world = night_.s;
        UnixMs at = night_.now;
        for (int id = 1; id <= 40; ++id) {
            at = at + Millis{dice_.between(0, 900'000)};
            submit(id, at);
        }
    }

    Past live() {
        while (night_.now <= past_.until) step();
        for (auto& [id, entry] : entries_) {
            PastJob job;
            job.job = entry.job;
            job.ready_at = entry.arrives_at;
            job.attempts = entry.attempts;
            past_.jobs.push_back(std::move(job));
        }
        // What is kept is today's, which knows of the whole night.
        past_.world.last_preemption_at = night_.s.last_preemption_at;
        past_.world.gpu_time = night_.s.gpu_time;
        return past_;
    }
    int preemptions = 0, retries = 0, cancelled = 0;

  private:
    enum class Phase { kToCome, kWaiting, kLive, kOver };
    struct Entry {
        Job job;
        Phase phase = Phase::kToCome;
        UnixMs arrives_at;
        Millis work;
        int failures = 0;  ///< attempts that will fail
        std::optional<UnixMs> cancelled_at, due_since, up_at, end_at;
        Millis reaction;
        LiveJob live;
        std::vector<UnixMs> preempted_at;
        std::vector<PastAttempt> attempts;
    };

    void submit(int id, UnixMs at) {
        Entry entry;
        entry.job = night_.wait(id, kJobClasses[static_cast<std::size_t>(dice_.between(0, 3))],
                                gibibytes(dice_.between(0, 18)));
        night_.s.candidates = {};
        night_.s.waiting_count = {};
        JobSpec& spec = entry.job.spec;
        const bool is_inference = spec.job_class == JobClass::kInference;
        entry.work = Millis{dice_.between(1000, is_inference ? 240'000 : 7'000'000)};
        if (!dice_.one_in(4)) spec.estimate = Millis{entry.work.value * dice_.between(50, 150) / 100};
        spec.preemptible = !is_inference && !dice_.one_in(5);
        spec.checkpoint = dice_.one_in(4) ? CheckpointMode::kNone : CheckpointMode::kWorker;
        if (night_.s.policy.windows.size() == 1 && dice_.one_in(3)) spec.window = "night";
        entry.arrives_at = at;
        entry.failures = dice_.one_in(8) ? 1 : 0;
        if (dice_.one_in(12)) entry.cancelled_at = at + Millis{dice_.between(1, 7'000'000)};
        entries_[id] = std::move(entry);
    }

    void step() {
        for (auto& [id, entry] : entries_) move(entry);
        std::erase_if(reclaiming_, [this](const auto& lease) { return lease.second <= night_.now; });
        look();
        const Plan plan = night_.plan();
        for (auto& [id, entry] : entries_) {
            if (entry.due_since && !starts(plan, id) && !yields(plan, id)) entry.due_since.reset();
        }
        for (const Start& start : plan.starts) begin(start);
        for (const Yield& yield : plan.yields) ask(yield);
        for (const Explanation& waiting : plan.waiting) age(waiting);
        UnixMs next = past_.until + Millis{1};
        const auto offer = [&](std::optional<UnixMs> at) {
            if (at && *at > night_.now) next = std::min(next, *at);
        };
        offer(plan.next_wakeup);
        for (const auto& [lease, free_at] : reclaiming_) offer(free_at);
        for (const auto& [id, entry] : entries_) {
            if (entry.phase == Phase::kOver) continue;
            if (entry.phase == Phase::kToCome) offer(entry.arrives_at);
            if (entry.phase == Phase::kWaiting) offer(entry.job.retry_at);
            offer(entry.cancelled_at);
            if (entry.phase == Phase::kLive) offer(entry.up_at);
            if (entry.phase == Phase::kLive) offer(entry.end_at);
            if (entry.due_since) offer(*entry.due_since + entry.reaction);
        }
        night_.now = next;
    }

    void move(Entry& entry) {
        const UnixMs now = night_.now;
        if (entry.phase == Phase::kToCome && entry.arrives_at <= now) entry.phase = Phase::kWaiting;
        if (entry.phase == Phase::kLive && entry.job.state == JobState::kStarting && *entry.up_at <= now) {
            entry.job.state = JobState::kRunning;
            entry.live.attempt.running_at = entry.attempts.back().running = now;
        }
        if (entry.phase == Phase::kLive && *entry.end_at <= now) return end(entry);
        const bool is_open = entry.phase == Phase::kWaiting || entry.phase == Phase::kLive;
        if (!is_open || !entry.cancelled_at || *entry.cancelled_at > now) return;
        ++cancelled;
        if (entry.phase == Phase::kLive) close(entry);
        finish(entry, JobState::kCancelled);
    }

    void close(Entry& entry) {
        const UnixMs now = night_.now;
        entry.attempts.back().ended = now;
        const UnixMs running = entry.live.attempt.running_at.value_or(now);
        entry.job.run_time = entry.job.run_time + (now - running);
        if (entry.job.spec.vram.value == 0) return;
        Millis& held = night_.s.gpu_time[static_cast<std::size_t>(entry.job.spec.job_class)];
        held = held + (now - entry.live.attempt.granted_at);
        entry.attempts.back().released = now + Millis{dice_.between(0, 6000)};
        reclaiming_.emplace_back(entry.live.lease, *entry.attempts.back().released);
    }

    void finish(Entry& entry, JobState state) {
        entry.phase = Phase::kOver;
        entry.job.state = state;
        entry.job.ended_at = night_.now;
    }

    void end(Entry& entry) {
        const bool is_asked = entry.job.state == JobState::kYielding;
        const Millis ran = night_.now - entry.live.attempt.running_at.value_or(night_.now);
        close(entry);
        const bool is_done = ran >= entry.work && !(entry.failures > 0);
        if (is_asked && !is_done) {
            entry.attempts.back().is_preempted = true;
            const bool keeps = entry.job.spec.checkpoint != CheckpointMode::kNone;
            if (keeps) entry.work = entry.work - ran;
            entry.job.has_checkpoint = entry.job.has_checkpoint || keeps;
        } else if (entry.failures-- > 0) {
            ++retries;
            entry.attempts.back().is_retried = true;
            entry.job.retry_at = night_.now + retry_delay(1);
        } else {
            return finish(entry, JobState::kSucceeded);
        }
        entry.job.state = JobState::kWaiting;
        entry.phase = Phase::kWaiting;
    }

    bool is_acted_on(Entry& entry) {
        if (!entry.due_since) {
            entry.due_since = night_.now;
            entry.reaction = dice_.one_in(3) ? Millis{dice_.between(1, 3000)} : Millis{};
        }
        return *entry.due_since + entry.reaction <= night_.now;
    }

    void begin(const Start& start) {
        Entry& entry = entries_.at(static_cast<int>(start.job.value));
        if (!is_acted_on(entry)) return;
        const UnixMs now = night_.now;
        entry.due_since.reset();
        stop_ageing(entry.job);
        entry.phase = Phase::kLive;
        entry.job.state = JobState::kStarting;
        if (!entry.job.started_at) entry.job.started_at = now;
        entry.up_at = now + Millis{dice_.between(1, 4000)};
        entry.end_at = *entry.up_at + (entry.failures > 0 ? Millis{entry.work.value / 2 + 1} : entry.work);
        entry.live = LiveJob{};
        entry.live.attempt.id = {entry.job.id, ++entry.job.attempt};
        entry.live.attempt.granted_at = now;
        entry.live.attempt.device = entry.live.lease.device = start.device;
        entry.live.lease.attempt = entry.live.attempt.id;
        entry.live.lease.budget = entry.live.lease.used = start.budget;
        for (const UnixMs at : entry.preempted_at) {
            if (at > now - hours(24)) entry.live.preempted_at.push_back(at);
        }
        entry.attempts.push_back({now, std::nullopt, std::nullopt, false, start.device});
    }

    void ask(const Yield& yield) {
        Entry& entry = entries_.at(static_cast<int>(yield.job.value));
        entry.job.state = JobState::kYielding;
        entry.attempts.back().asked = night_.now;
        entry.live.attempt.beneficiary = yield.beneficiary;
        entry.live.attempt.stop_reason = yield.reason;
        entry.end_at = std::min(*entry.end_at, night_.now + Millis{dice_.between(100, 50'000)});
        if (yield.reason != "preempted") return;
        ++preemptions;
        ++entry.job.preemptions;
        entry.preempted_at.push_back(night_.now);
        night_.s.last_preemption_at = night_.now;
    }

    void stop_ageing(Job& job) const {
        if (job.eligible_since) job.eligible_time = job.eligible_time + (night_.now - *job.eligible_since);
        job.eligible_since.reset();
    }

    void age(const Explanation& waiting) {
        Job& job = entries_.at(static_cast<int>(waiting.job.value)).job;
        if (!is_eligible(waiting)) return stop_ageing(job);
        if (!job.eligible_since) job.eligible_since = night_.now;
    }

    void look() {
        night_.s.live.clear();
        night_.s.reclaiming.clear();
        night_.s.candidates = {};
        for (const auto& [lease, free_at] : reclaiming_) night_.s.reclaiming.push_back(lease);
        for (auto& [id, entry] : entries_) {
            if (entry.phase == Phase::kLive) {
                entry.live.job = entry.job;
                night_.s.live.push_back(entry.live);
            } else if (entry.phase == Phase::kWaiting &&
                       (!entry.job.retry_at || *entry.job.retry_at <= night_.now)) {
                night_.s.candidates[static_cast<std::size_t>(entry.job.spec.job_class)].push_back(entry.job);
            }
        }
    }

    Dice dice_;
    Night night_;
    Past past_;
    std::map<int, Entry> entries_;
    std::vector<std::pair<Lease, UnixMs>> reclaiming_;
};

std::string line_of(const Decision& decision) {
    return utc_text(decision.at) + (decision.is_start ? " start " : " ask ") +
           std::to_string(decision.job.value) + "/" + std::to_string(decision.attempt);
}

std::string first_of(const std::vector<Decision>& decisions) {
    return decisions.empty() ? "" : line_of(decisions.front());
}

}  // namespace

TEST_CASE("replay: a recorded night under its own rules, decision by decision") {
    int preemptions = 0;
    int retries = 0;
    int cancelled = 0;
    for (int trial = 0; trial < 60; ++trial) {
        const auto seed = nightshift::tests::seed() + static_cast<std::uint64_t>(trial);
        RecordedNight night(seed);
        const Past past = night.live();
        preemptions += night.preemptions;
        retries += night.retries;
        cancelled += night.cancelled;
        const FixedZones zones;
        ReplayChange identical;
        identical.policy = past.world.policy;
        const Replay replay = nightshift::replay(past, identical, zones);
        INFO("night seed ", seed);
        CHECK(first_of(replay.missed) == "");
        CHECK(first_of(replay.added) == "");
        if (!replay.missed.empty()) continue;
        CHECK(replay.agreement == 1.0);
        for (std::size_t i = 0; i < past.jobs.size(); ++i) {
            CAPTURE(past.jobs[i].job.id.value);
            CHECK(replay.same.runs[i].first_start == replay.recorded.runs[i].first_start);
            CHECK(replay.same.runs[i].end == replay.recorded.runs[i].end);
            // The same policy given as a change changes nothing.
            CHECK(replay.changed.runs[i].first_start == replay.same.runs[i].first_start);
            CHECK(replay.changed.runs[i].end == replay.same.runs[i].end);
        }
        REQUIRE(replay.changed.decisions.size() == replay.same.decisions.size());
        for (std::size_t i = 0; i < replay.same.decisions.size(); ++i)
            CHECK(line_of(replay.changed.decisions[i]) == line_of(replay.same.decisions[i]));
    }
    CHECK(preemptions > 30);
    CHECK(retries > 30);
    CHECK(cancelled > 30);
}
