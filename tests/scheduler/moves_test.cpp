// Who would move: what `why` and a dry run say of other jobs.
#include <doctest/doctest.h>

#include "tests/support/night.h"

using namespace nightshift;
using namespace nightshift::tests;

TEST_CASE("moves: the victims of a job that does not exist yet") {
    Night night;
    night.run(1, JobClass::kTraining, gibibytes(20));
    Job job = night.wait(2, JobClass::kInference, gibibytes(10));
    night.s.candidates[0].clear();
    job.id = JobId{};
    const Explanation e = night.explain(job, true);
    REQUIRE(e.would_move.size() == 1);
    CHECK(e.would_move[0].job == JobId{1});
    CHECK(e.would_move[0].effect == "yields");
    CHECK(night.explain(job).would_move.empty());  // only with the counterfactuals
}

TEST_CASE("moves: who would start now without it") {
    Night night;
    night.wait(1, JobClass::kSynthesis, gibibytes(20));
    Job job = night.wait(2, JobClass::kTraining, gibibytes(10));
    night.s.candidates[1].clear();
    job.id = JobId{};
    const Explanation e = night.explain(job, true);
    CHECK(e.gates.empty());
    REQUIRE(e.would_move.size() == 1);
    CHECK(e.would_move[0].effect == "waits");
    CHECK(e.would_move[0].text == "Job 1 would start now if it were not there.");
}

TEST_CASE("moves: nobody, when there is room for all") {
    Night night;
    night.wait(1, JobClass::kSynthesis, gibibytes(2));
    const Job job = night.wait(2, JobClass::kTraining, gibibytes(10));
    CHECK(night.explain(job, true).would_move.empty());
}
