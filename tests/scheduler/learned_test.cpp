#include "scheduler/learned.h"

#include <doctest/doctest.h>

#include <random>

#include "scheduler/runtime.h"
#include "tests/support/night.h"
#include "tests/support/seed.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

KindStats stats(int runs, Bytes peak, Bytes budget, const std::string& group = "g") {
    return {"burn", runs, minutes(10), minutes(20), peak, group, budget};
}

}  // namespace

TEST_CASE("learned: the highest peak with a margin, in steps, never below the peak") {
    CHECK(suggested_budget(stats(3, gibibytes(4), gibibytes(8))) == mebibytes(4672));
    CHECK_FALSE(suggested_budget(stats(2, gibibytes(4), gibibytes(8))).has_value());
    CHECK_FALSE(suggested_budget(stats(9, Bytes{}, gibibytes(8))).has_value());
}

TEST_CASE("learned: a job that takes what it is given is not given more each time") {
    const auto again = suggested_budget(stats(3, gibibytes(4), gibibytes(4)));
    CHECK(again == gibibytes(4));
    // One that used more than it was given needs more.
    CHECK(*suggested_budget(stats(3, gibibytes(5), gibibytes(4))) > gibibytes(5));
}

TEST_CASE("learned: the same parameters, else the kind; commands have only themselves") {
    const std::vector<KindStats> all{stats(9, gibibytes(1), gibibytes(2), ""),
                                     stats(4, gibibytes(6), gibibytes(8), "big"),
                                     {"command", 9, minutes(1), minutes(2), gibibytes(3), "", gibibytes(3)}};
    JobSpec spec;
    spec.kind = "burn";
    spec.group = "big";
    REQUIRE(stats_of(spec, all) != nullptr);
    CHECK(stats_of(spec, all)->group == "big");
    CHECK(*suggested_budget(spec, all) > gibibytes(6));
    spec.group = "new";
    CHECK(stats_of(spec, all)->group.empty());
    CHECK_FALSE(suggested_budget(spec, all).has_value());
    spec.kind = "command";
    CHECK(stats_of(spec, all) == nullptr);
}

TEST_CASE("learned: run times of equal parameters outrank those of the kind") {
    Night night;
    night.s.stats = {{"burn", 9, minutes(1), minutes(2), Bytes{}},
                     {"burn", 3, minutes(50), minutes(70), Bytes{}, "big"}};
    Job& job = night.wait(1, JobClass::kTraining, gibibytes(1));
    CHECK(predict_run(job, night.s).p90 == minutes(2));
    job.spec.group = "big";
    CHECK(predict_run(job, night.s).p90 == minutes(70));
    CHECK(basis_of_run(job, night.s) == "the last 3 runs of burn with these parameters");
}

TEST_CASE("learned: the next of n comparable runs stays within the suggestion as promised") {
    std::mt19937_64 engine(seed());
    std::lognormal_distribution<double> peak(8.0, 0.35);  // MiB
    constexpr int kRuns = 9;
    constexpr int kTrials = 4000;
    int exceeded = 0;
    for (int trial = 0; trial < kTrials; ++trial) {
        Bytes most;
        for (int i = 0; i < kRuns; ++i) {
            most = std::max(most, mebibytes(static_cast<std::int64_t>(peak(engine))));
        }
        const Bytes next = mebibytes(static_cast<std::int64_t>(peak(engine)));
        exceeded += next > *suggested_budget(stats(kRuns, most, gibibytes(999)));
    }
    CHECK(exceeded < kTrials / (kRuns + 1));
}

TEST_CASE("learned: a budget that was too small grows by a quarter or to what was seen") {
    const Bytes card = gibibytes(8);
    CHECK(raised_budget(gibibytes(4), Bytes{}, card) == gibibytes(5));
    CHECK(raised_budget(gibibytes(4), gibibytes(4), card) == gibibytes(5));
    CHECK(raised_budget(gibibytes(4), gibibytes(5), card) == mebibytes(5632));
    CHECK(raised_budget(gibibytes(7), gibibytes(7), card) == card);
    CHECK_FALSE(raised_budget(card, gibibytes(7), card).has_value());
    CHECK_FALSE(raised_budget(gibibytes(4), gibibytes(7), Bytes{}).has_value());
    // Whole MiB, never less than what was wanted.
    CHECK(raised_budget(Bytes{1000}, Bytes{}, card) == mebibytes(1));
}
