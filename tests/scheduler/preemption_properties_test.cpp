// Who is asked to leave, on thousands of random nights: never in vain, never too often, never in turn.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "scheduler/gates.h"
#include "scheduler/preemption.h"
#include "tests/support/many_nights.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

const LiveJob& live_of(const Snapshot& s, JobId id) {
    return *std::find_if(s.live.begin(), s.live.end(), [id](const LiveJob& l) { return l.job.id == id; });
}

int recent_preemptions(const LiveJob& live, UnixMs now) {
    return static_cast<int>(std::count_if(live.preempted_at.begin(), live.preempted_at.end(),
                                          [now](UnixMs at) { return at > now - hours(24); }));
}

/// The victims of `plan` have left and wait; nothing else has changed but the time.
Night after_leaving(const Night& night, const Plan& plan, Millis later) {
    Night after = night;
    after.now = night.now + later;
    after.s.last_preemption_at = night.now;
    for (const Yield& yield : plan.yields) {
        LiveJob victim = live_of(night.s, yield.job);
        std::erase_if(after.s.live, [&](const LiveJob& l) { return l.job.id == yield.job; });
        victim.job.state = JobState::kWaiting;
        victim.job.eligible_since = after.now;
        victim.job.has_checkpoint = victim.job.spec.checkpoint != CheckpointMode::kNone;
        ++victim.job.preemptions;
        after.s.candidates[static_cast<std::size_t>(victim.job.spec.job_class)].push_back(victim.job);
    }
    return after;
}

/// The starts of `plan` have come up.
Night after_starting(const Night& night, const Plan& plan) {
    Night after = night;
    auto jobs = candidates_of(night.s);
    for (const Start& start : plan.starts) {
        LiveJob live;
        live.job = jobs.at(start.job.value);
        live.job.state = JobState::kRunning;
        live.job.eligible_since.reset();
        live.attempt.id = {start.job, 1};
        live.attempt.granted_at = night.now;
        live.attempt.running_at = night.now;
        live.lease.attempt = live.attempt.id;
        live.lease.device = live.attempt.device = start.device;
        live.lease.budget = start.budget;
        after.s.live.push_back(live);
        for (auto& list : after.s.candidates)
            std::erase_if(list, [&](const Job& j) { return j.id == start.job; });
    }
    return after;
}

/// The starts have come up, and all who were leaving are gone, with their memory.
Night after_settling(const Night& night, const Plan& plan) {
    Night after = after_starting(night, plan);
    std::erase_if(after.s.live, [&plan](const LiveJob& live) {
        const bool is_leaving =
            live.job.state == JobState::kYielding || live.job.state == JobState::kStopping;
        return is_leaving || yields(plan, static_cast<int>(live.job.id.value));
    });
    after.s.reclaiming.clear();
    return after;
}

bool is_lack_of_vram(const Gate& gate) {
    return gate.vram && gate.code != "vram_reserved_for_head";
}

bool is_anybody_asking(const Plan& plan) {
    const auto is_preemption = [](const Gate& gate) {
        return gate.code == "protected_victims" || gate.code == "preemption_in_flight";
    };
    return !plan.yields.empty() ||
           std::any_of(plan.waiting.begin(), plan.waiting.end(), [&](const Explanation& waiting) {
               return std::any_of(waiting.gates.begin(), waiting.gates.end(), is_preemption);
           });
}

}  // namespace

TEST_CASE("properties: memory on its way back is promised to the first jobs in line alone, and they start") {
    int kept = 0;
    int contested = 0;  // somebody else waits for the same memory and is not promised it
    for_each_night({}, nights(), [&](const Night& given) {
        if (given.s.devices.size() > 1) return;  // a start on one device changes the choice of the other
        Night night = given;
        // Who is idle, and whose class had little device time, changes when somebody leaves.
        night.s.policy.of(JobClass::kSynthesis).only_when_idle.clear();
        night.s.policy.floor_percent = 0;
        const Plan plan = night.plan(Words::kNone);
        // Who is let past them in this very plan may change whom they would push.
        const auto takes_vram = [](const Start& start) { return start.budget.value > 0; };
        if (std::any_of(plan.starts.begin(), plan.starts.end(), takes_vram)) return;
        const auto jobs = candidates_of(night.s);
        std::vector<int> promised;
        std::set<JobClass> seen;
        bool is_contested = false;
        for (const Explanation& waiting : plan.waiting) {
            const int id = static_cast<int>(waiting.job.value);
            const bool lacks_vram = waits_for_room_alone(waiting) &&
                                    std::any_of(waiting.gates.begin(), waiting.gates.end(), is_lack_of_vram);
            if (!lacks_vram) continue;
            const bool is_promised = gate_of(waiting, "vram_release_pending") != nullptr;
            if (seen.insert(jobs.at(id).spec.job_class).second && is_promised) promised.push_back(id);
            is_contested = is_contested || (!is_promised && !promised.empty());
        }
        if (promised.empty()) return;
        const Plan next = after_settling(night, plan).plan(Words::kNone);
        if (is_anybody_asking(next)) return;  // who may make others leave goes before who may be asked
        contested += is_contested;
        for (const int id : promised) {
            CAPTURE(id);
            CHECK(starts(next, id));
            ++kept;
        }
    });
    CHECK(kept > nights() / 50);
    CHECK(contested > nights() / 500);
}

TEST_CASE("properties: only lower, running, preemptible jobs are asked, never one too many") {
    int preemptions = 0;
    int same_rank = 0;  // a back-filled job leaves for the one that it passed
    for_each_night({}, nights(), [&](const Night& night) {
        const Plan plan = night.plan(Words::kNone);
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
                ++same_rank;
            }
            if (night.s.devices.size() > 1) continue;  // another start may make room on the other device
            // With this victim staying and the others gone, it would not start: nobody leaves in vain.
            Night fewer = night;
            std::erase_if(fewer.s.live, [&](const LiveJob& l) {
                return l.job.id != yield.job &&
                       std::any_of(plan.yields.begin(), plan.yields.end(),
                                   [&](const Yield& y) { return y.job == l.job.id; });
            });
            CHECK_FALSE(starts(fewer.plan(Words::kNone), static_cast<int>(yield.beneficiary.value)));
        }
        CHECK(beneficiaries.size() <= 1);
    });
    CHECK(preemptions > nights() / 100);
    CHECK(same_rank > 0);
}

TEST_CASE("properties: who was made to leave as often as allowed, or has just begun, stays") {
    int worn_out = 0;  // nights in which somebody below a waiting job had left often enough
    int asked = 0;
    for_each_night({.has_policy = false}, nights(), [&](const Night& night) {
        const PreemptionPolicy& policy = night.s.policy.preemption;
        const Plan plan = night.plan(Words::kNone);
        auto jobs = candidates_of(night.s);
        for (const Explanation& waiting : plan.waiting) {
            for (const Gate& gate : waiting.gates) {
                if (gate.code != "protected_victims") continue;
                worn_out += std::any_of(gate.jobs.begin(), gate.jobs.end(), [&](JobId id) {
                    return recent_preemptions(live_of(night.s, id), night.now) >= policy.max_per_day;
                });
            }
        }
        for (const Yield& yield : plan.yields) {
            if (yield.reason != "preempted") continue;
            ++asked;
            const LiveJob& victim = live_of(night.s, yield.job);
            CHECK(recent_preemptions(victim, night.now) < policy.max_per_day);
            const bool is_for_inference =
                jobs.at(yield.beneficiary.value).spec.job_class == JobClass::kInference;
            if (!is_for_inference) CHECK(*victim.attempt.running_at + policy.min_run <= night.now);
            if (night.s.last_preemption_at) CHECK(night.now - *night.s.last_preemption_at >= kHysteresis);
        }
    });
    CHECK(worn_out > nights() / 500);
    CHECK(asked > nights() / 100);
}

TEST_CASE("properties: a victim never makes its beneficiary leave in turn") {
    int pairs = 0;
    for_each_night({}, nights(), [&](const Night& night) {
        const Plan plan = night.plan(Words::kNone);
        std::set<JobId> winners;
        std::set<JobId> victims;
        for (const Yield& yield : plan.yields) {
            if (yield.reason != "preempted") continue;
            winners.insert(yield.beneficiary);
            victims.insert(yield.job);
        }
        if (victims.empty()) return;
        Night next = after_leaving(night, plan, seconds(5));
        const Plan resumed = next.plan(Words::kNone);
        if (!starts(resumed, static_cast<int>(winners.begin()->value))) return;  // somebody else came first
        ++pairs;
        next = after_starting(next, resumed);
        for (const Millis later : {seconds(1), seconds(70), minutes(6), minutes(45), hours(5)}) {
            Night then = next;
            then.now = next.now + later;
            for (const Yield& yield : then.plan(Words::kNone).yields) {
                const bool is_in_turn = yield.reason == "preempted" && winners.contains(yield.job) &&
                                        victims.contains(yield.beneficiary);
                CAPTURE(later.value);
                CHECK_FALSE(is_in_turn);
            }
        }
    });
    CHECK(pairs > nights() / 100);
}
