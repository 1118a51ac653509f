#include "scheduler/night_contract.h"

#include <doctest/doctest.h>

#include "tests/support/night.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

struct Evening : Night {
    std::vector<Job> jobs;
    std::vector<ContractJob> to_come;
    Job& add(int id, Millis estimate) {
        jobs.push_back(wait(id, JobClass::kTraining, gibibytes(20)));
        jobs.back().spec.estimate = estimate;
        return jobs.back();
    }
    NightContract contract(Millis ahead) const {
        std::vector<ContractJob> all;
        for (const Job& job : jobs) all.push_back({job, now});
        all.insert(all.end(), to_come.begin(), to_come.end());
        return night_contract(s, all, now, now + ahead, zones, {});
    }
};

}  // namespace

TEST_CASE("night contract: a queue of known length is cut at the deadline") {
    Evening evening;
    for (int id = 1; id <= 5; ++id) evening.add(id, hours(2));
    const NightContract contract = evening.contract(hours(7));
    REQUIRE(contract.lines.size() == 5);
    CHECK(contract.lines[0].verdict == Verdict::kDone);
    CHECK(contract.lines[1].verdict == Verdict::kDone);
    CHECK(contract.lines[3].chance < contract.lines[2].chance);
    CHECK(contract.lines[4].verdict == Verdict::kNo);
    CHECK(contract.all_chance == 0.0);
    for (const ContractLine& line : contract.lines) {
        REQUIRE(line.end_p50.has_value());
        REQUIRE(line.end_p90.has_value());
        CHECK(*line.end_p50 <= *line.end_p90);
        CHECK(line.basis == "the estimate from its parameters");
    }
    // Estimates count as p50: the middle of the third job's end lies about six hours ahead.
    const Millis third = *contract.lines[2].end_p50 - evening.now;
    CHECK(third > hours(5));
    CHECK(third < hours(7));
}

TEST_CASE("night contract: the same question gets the same answer") {
    Evening evening;
    for (int id = 1; id <= 3; ++id) evening.add(id, hours(2));
    const NightContract a = evening.contract(hours(6));
    const NightContract b = evening.contract(hours(6));
    for (std::size_t i = 0; i < a.lines.size(); ++i) {
        CHECK(a.lines[i].chance == b.lines[i].chance);
        CHECK(a.lines[i].end_p50 == b.lines[i].end_p50);
    }
}

TEST_CASE("night contract: held jobs and unknown run times promise nothing") {
    Evening evening;
    evening.add(1, hours(1)).held = true;
    evening.add(2, hours(1)).spec.estimate.reset();
    evening.add(3, hours(1));
    const NightContract contract = evening.contract(hours(8));
    CHECK(contract.lines[0].verdict == Verdict::kUnknown);
    CHECK(contract.lines[0].basis == "it is held");
    CHECK(contract.lines[1].verdict == Verdict::kUnknown);
    // Nobody knows when the one before it ends, so it may never start.
    CHECK(contract.lines[2].verdict == Verdict::kNo);
}

TEST_CASE("night contract: a running job needs what is left of it") {
    Evening evening;
    LiveJob& live = evening.run(1, JobClass::kTraining, gibibytes(20), minutes(90));
    live.job.spec.estimate = hours(2);
    evening.jobs.push_back(live.job);
    const NightContract contract = evening.contract(hours(2));
    CHECK(contract.lines[0].verdict == Verdict::kDone);
    REQUIRE(contract.lines[0].end_p50.has_value());
    CHECK(*contract.lines[0].end_p50 - evening.now < hours(1));
}

TEST_CASE("night contract: a closed window moves the ends, not the promise") {
    Evening evening;
    evening.add_window("late", "daily 03:00-09:00");
    evening.add(1, hours(1)).spec.window = "late";
    const NightContract contract = evening.contract(hours(8));
    CHECK(contract.lines[0].start_p50 == utc(2026, 11, 21, 3));
    CHECK(contract.lines[0].verdict == Verdict::kDone);
}

TEST_CASE("night contract: what a schedule is going to submit takes its time from the queue") {
    Evening evening;
    evening.add(1, hours(1));
    evening.add(2, hours(3)).spec.priority = -10;
    const NightContract alone = evening.contract(hours(6));
    REQUIRE(alone.lines[1].verdict == Verdict::kDone);
    Evening busy;
    busy.add(1, hours(1));
    busy.add(2, hours(3)).spec.priority = -10;
    ContractJob fire{busy.jobs[0], busy.now + minutes(30)};
    fire.job.id = JobId{1000};
    fire.job.order_key = 1000;
    fire.job.spec.estimate = hours(4);
    busy.to_come.push_back(fire);
    const NightContract contract = busy.contract(hours(6));
    REQUIRE(contract.lines.size() == 3);
    CHECK(contract.lines[1].chance < alone.lines[1].chance);
    REQUIRE(contract.lines[2].start_p50.has_value());
    CHECK(*contract.lines[2].start_p50 >= fire.arrives_at);
}

TEST_CASE("night contract: a schedule that skips overlaps does not pile up") {
    Evening evening;
    for (int i = 0; i < 5; ++i) {
        ContractJob fire{evening.wait(i + 1, JobClass::kTraining, gibibytes(20)),
                         evening.now + minutes(10 * i)};
        fire.job.spec.estimate = minutes(25);
        fire.exclusive_series = "nightly";
        evening.to_come.push_back(fire);
    }
    // Fires at 0, 10, 20, 30, 40 minutes of 25 minutes each: about two of three are skipped.
    const NightContract skipping = evening.contract(hours(10));
    double done = 0;
    for (const ContractLine& line : skipping.lines) done += line.chance;
    CHECK(done > 1.0);
    CHECK(done < 3.5);
    for (ContractJob& fire : evening.to_come) fire.exclusive_series.clear();
    const NightContract queueing = evening.contract(hours(10));
    for (const ContractLine& line : queueing.lines) CHECK(line.verdict == Verdict::kDone);
}
