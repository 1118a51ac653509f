// A promise to the first waiting job, on thousands of random nights: who is let past it does not put it off.
#include <doctest/doctest.h>

#include <algorithm>

#include "scheduler/gates.h"
#include "scheduler/order.h"
#include "scheduler/preemption.h"
#include "scheduler/runtime.h"
#include "tests/support/many_nights.h"

using namespace nightshift;
using namespace nightshift::tests;

TEST_CASE("properties: backfill does not push the first waiting job") {
    int heads = 0;
    for_each_night({.has_policy = false}, nights(), [&](const Night& given) {
        // A job that the floor lifts is ahead, not behind.
        Night night = given;
        night.s.policy.floor_percent = 0;
        const Plan plan = night.plan(Words::kNone);
        auto jobs = candidates_of(night.s);
        const auto vram_gate = [](const Explanation& e) {
            return std::find_if(e.gates.begin(), e.gates.end(),
                                [](const Gate& g) { return g.vram && g.code != "vram_reserved_for_head"; });
        };
        const auto head = std::find_if(plan.waiting.begin(), plan.waiting.end(), [&](const Explanation& e) {
            const bool is_ready = std::all_of(e.gates.begin(), e.gates.end(), [](const Gate& g) {
                return is_room_gate(g.code) || g.code == "cpu" || g.code == "ram" || g.code == "group_limit";
            });
            return is_ready && vram_gate(e) != e.gates.end();
        });
        if (head == plan.waiting.end()) return;
        // Room on the machine that comes back goes to somebody ahead, who takes memory of the head's device.
        const auto waits_for_machine = [&](const Explanation& e) {
            return jobs.at(e.job.value).spec.vram.value > 0 && is_eligible(e) && !waits_for_room_alone(e);
        };
        if (std::any_of(plan.waiting.begin(), head, waits_for_machine)) return;
        const Job& first = jobs.at(head->job.value);
        const VramTerms& terms = *vram_gate(*head)->vram;
        const WindowBook windows(night.s.policy, night.zones, night.now);
        const Scene scene{night.s, night.zones, night.now, windows};
        struct End {
            UnixMs at;
            std::int64_t bytes;
        };
        std::vector<End> before;
        std::vector<End> after;
        std::int64_t extra = 0;
        bool is_unknown = false;
        for (const LiveJob& live : night.s.live) {
            if (live.lease.device != terms.device) continue;
            auto end = predicted_end(live, night.s, night.now);
            // Somebody who will be asked to leave for the head is gone for it from then on.
            const auto asked = askable_from(scene, live, first);
            if (asked && (!end || *asked < *end)) end = asked;
            const bool is_leaving = live.job.state == JobState::kYielding ||
                                    live.job.state == JobState::kStopping ||
                                    yields(plan, static_cast<int>(live.job.id.value));
            if (is_leaving)
                before.push_back({night.now, live.lease.held().value});
            else if (end)
                before.push_back({*end, live.lease.held().value});
            else
                is_unknown = true;
        }
        for (const Lease& lease : night.s.reclaiming) {
            if (lease.device == terms.device) before.push_back({night.now, lease.held().value});
        }
        for (const Start& start : plan.starts) {
            if (start.device != terms.device) continue;
            const Job& job = jobs.at(start.job.value);
            const auto run = predict_run(job, night.s);
            const bool is_behind = goes_before(first, job, night.now);
            if (!is_behind && run.p90) before.push_back({night.now + *run.p90, job.spec.vram.value});
            if (!is_behind || job.spec.preemptible) continue;
            extra += job.spec.vram.value;
            if (run.p90) after.push_back({night.now + *run.p90, job.spec.vram.value});
        }
        const auto time_to_fit = [&](std::vector<End> ends, std::int64_t missing) -> std::optional<UnixMs> {
            std::sort(ends.begin(), ends.end(), [](const End& a, const End& b) { return a.at < b.at; });
            for (const End& end : ends) {
                missing -= end.bytes;
                if (missing <= 0) return end.at;
            }
            return std::nullopt;
        };
        const std::int64_t missing = terms.needed.value - (terms.capacity.value - terms.safety.value -
                                                           terms.foreign.value - terms.held.value);
        const auto alone = time_to_fit(before, missing);
        if (!alone || extra == 0) return;
        ++heads;
        auto all = before;
        all.insert(all.end(), after.begin(), after.end());
        const auto together = time_to_fit(all, missing + extra);
        CAPTURE(is_unknown);
        REQUIRE(together.has_value());
        CHECK(*together <= *alone);
    });
    CHECK(heads > nights() / 150);
}
