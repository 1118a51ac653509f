// What `why` says would help, tried for real: every claim is applied to a copy of its snapshot and planned.
#include "scheduler/counterfactual.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "scheduler/scene.h"
#include "tests/support/many_nights.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

/// The night after the change, with the job as the change left it.
Night applied(const Night& night, const Job& job, const Counterfactual& change) {
    Night changed = night;
    Job changed_job = job;
    apply(change, changed.s, changed_job);
    for (Job& candidate : changed.s.candidates[static_cast<std::size_t>(job.spec.job_class)]) {
        if (candidate.id == job.id) candidate = changed_job;
    }
    return changed;
}

std::vector<JobId> victims_for(const Plan& plan, JobId job) {
    std::vector<JobId> victims;
    for (const Yield& yield : plan.yields) {
        if (yield.reason == "preempted" && yield.beneficiary == job) victims.push_back(yield.job);
    }
    return victims;
}

/// What the plan really does for the job, in the words of a claimed effect.
std::string effect_on(const Plan& plan, JobId job) {
    if (starts(plan, static_cast<int>(job.value))) return "it starts now";
    const auto victims = victims_for(plan, job);
    if (victims.empty()) return "nothing";
    return format_jobs(victims) + (victims.size() == 1 ? " yields for it" : " yield for it");
}

/// Every single action that a person could take, whether it was claimed or not.
std::vector<Counterfactual> all_actions(const Night& night, const Job& job) {
    std::vector<Counterfactual> actions;
    const std::string flags = "release+resume_queue+clear_not_before";
    for (const std::string& verb : {flags, flags + "+set_priority"}) {
        actions.emplace_back();
        actions.back().verb = verb;
    }
    for (const std::int64_t part : {2, 8}) {
        actions.emplace_back();
        actions.back().verb = flags + "+set_vram";
        actions.back().vram = Bytes{job.spec.vram.value / part};
    }
    for (const LiveJob& live : night.s.live) {
        actions.emplace_back();
        actions.back().verb = flags + "+cancel";
        actions.back().subject = live.job.id;
    }
    return actions;
}

Job& many_waiting(Night& night, int count) {
    for (int id = 1; id <= count; ++id) night.wait(id, JobClass::kTraining, gibibytes(2));
    return night.s.candidates[static_cast<std::size_t>(JobClass::kTraining)].back();
}

}  // namespace

TEST_CASE("counterfactuals: each one, applied to the snapshot, does what it claims") {
    std::map<std::string, int> tried;  // by what it takes beside the switches
    int switches = 0;
    int preempting = 0;
    for_each_night({}, nights(), [&](const Night& night) {
        const auto jobs = candidates_of(night.s);
        for (const Explanation& waiting : night.plan(Words::kNone).waiting) {
            const Job& job = jobs.at(waiting.job.value);
            for (const Counterfactual& change : night.explain(job, true).would_start_if) {
                const Plan plan = applied(night, job, change).plan(Words::kNone);
                CAPTURE(job.id.value);
                CAPTURE(change.action);
                CHECK(change.effect == effect_on(plan, job.id));
                CHECK_FALSE(change.cost.empty());
                const std::string last = change.verb.substr(change.verb.rfind('+') + 1);
                ++tried[last];
                switches += last != change.verb ? 1 : 0;
                preempting += change.effect != "it starts now" ? 1 : 0;
                for (const Start& start : plan.starts) {
                    if (start.job == job.id && change.vram) CHECK(start.budget == *change.vram);
                }
            }
        }
    });
    // Every kind of claim was among them, alone and together with a switch.
    for (const char* const verb :
         {"release", "resume_queue", "clear_not_before", "preempt", "cancel", "set_vram", "set_priority"}) {
        CAPTURE(verb);
        CHECK(tried[verb] > nights() / 200);
    }
    CHECK(switches > nights() / 200);
    CHECK(preempting > nights() / 200);
}

TEST_CASE("counterfactuals: where none is claimed for want of any hope, there is none") {
    int hopeless = 0;
    for_each_night({}, nights() / 10, [&](const Night& night) {
        const auto jobs = candidates_of(night.s);
        for (const Explanation& waiting : night.plan(Words::kNone).waiting) {
            const bool is_shut =
                std::any_of(waiting.gates.begin(), waiting.gates.end(), [](const Gate& gate) {
                    static const std::set<std::string> kShut{
                        "drain",          "dep_waiting",      "dep_impossible",      "retry_backoff",
                        "outside_window", "window_too_short", "start_deadline_soon", "gpu_unhealthy"};
                    return kShut.contains(gate.code);
                });
            if (!is_shut) continue;
            ++hopeless;
            const Job& job = jobs.at(waiting.job.value);
            CHECK(night.explain(job, true).would_start_if.empty());
            for (const Counterfactual& action : all_actions(night, job)) {
                CAPTURE(action.verb);
                CHECK(effect_on(applied(night, job, action).plan(Words::kNone), job.id) == "nothing");
            }
        }
    });
    CHECK(hopeless > nights() / 20);
}

TEST_CASE("counterfactuals: what was tried leaves no trace") {
    for_each_night({}, nights() / 10, [](const Night& night) {
        Night tried = night;
        for (const auto& [id, job] : candidates_of(night.s)) {
            for (Counterfactual action : all_actions(night, job)) {
                for (const std::string verb : {"resume_queue", "preempt", "cancel"}) {
                    action.verb = verb;
                    Job copy = job;
                    take_back(apply(action, tried.s, copy), tried.s);
                }
            }
        }
        CHECK(text_of(tried.plan(Words::kNone)) == text_of(night.plan(Words::kNone)));
        CHECK(tried.s.is_paused == night.s.is_paused);
        REQUIRE(tried.s.live.size() == night.s.live.size());
        for (std::size_t i = 0; i < night.s.live.size(); ++i) {
            CHECK(tried.s.live[i].job.id == night.s.live[i].job.id);
            CHECK(tried.s.live[i].job.spec.name == night.s.live[i].job.spec.name);
        }
    });
}

TEST_CASE("counterfactuals: nothing is claimed for a job so far back that no pass looks at it") {
    Night night;
    night.run(500, JobClass::kTraining, gibibytes(20));
    const Job job = many_waiting(night, kCandidatesPerClass + 1);
    night.s.candidates[static_cast<std::size_t>(JobClass::kTraining)].pop_back();
    const auto claims = night.explain(job, true).would_start_if;
    // A smaller budget would fit beside job 500, but others go first, and a real pass never sees it.
    REQUIRE(claims.size() == 1);
    CHECK(claims[0].verb == "set_priority");
    night.s.candidates[static_cast<std::size_t>(JobClass::kTraining)].pop_back();
    --night.s.waiting_count[static_cast<std::size_t>(JobClass::kTraining)];
    CHECK(night.explain(job, true).would_start_if.size() > 1);  // now it is the last that is seen
}
