#include "jobs/cpd/event_rates.h"

#include <doctest/doctest.h>

#include <limits>

using namespace nightshift::jobs;

namespace {

EventUnit unit(int label, int event, Split split, const char* scenario) {
    EventUnit out;
    out.label = label;
    out.event = event;
    out.split = split;
    out.scenario = scenario;
    out.frames = 60;
    return out;
}

}  // namespace

TEST_CASE("event rates: a threshold lets at most the aimed share of normals pass") {
    std::vector<double> scores;
    for (int i = 0; i < 200; ++i) scores.push_back(i % 100 + (i >= 100 ? .5 : 0));
    CHECK(alarm_threshold(scores, .01) == 98.5);  // 99 and 99.5 lie above it
    CHECK(alarm_threshold(scores, 0) == 99.5);
    CHECK(alarm_threshold({1, 1, 1, 1}, .5) == 1);
    CHECK(alarm_threshold({}, .01) == std::numeric_limits<double>::infinity());
}

TEST_CASE("event rates: thresholds from outside the test split, rates from inside") {
    std::vector<EventUnit> units;
    EventDetector detector{"d", "", "", false, {}, {}};
    const auto add = [&](const EventUnit& u, int frame, double score) {
        units.push_back(u);
        detector.frame.push_back(frame);
        detector.score.push_back(score);
    };
    for (int i = 0; i < 50; ++i) add(unit(0, -1, Split::kTrain, "normal"), 10, i);
    add(unit(1, 30, Split::kTrain, "crack"), 30, 1000);  // of no use to a threshold, and not judged
    EventUnit variant = unit(0, -1, Split::kVal, "thick_panel");
    variant.is_variant = true;
    add(variant, 10, 5000);
    add(unit(0, -1, Split::kTest, "normal"), 10, 49);  // at the threshold: no alarm
    add(unit(0, -1, Split::kTest, "normal"), 10, 60);
    add(unit(1, 30, Split::kTest, "crack"), 32, 70);  // found and alarmed
    add(unit(1, 30, Split::kTest, "crack"), 33, 70);  // alarmed at the wrong frame
    add(unit(1, 30, Split::kTest, "uv"), 29, 20);     // found, not alarmed
    add(unit(1, 30, Split::kTest, "uv"), -1, 90);     // found nothing
    const EventRates rates = judge_events(units, detector, .01);
    CHECK(rates.threshold == 49);
    CHECK(rates.normal.count == 2);
    CHECK(rates.normal.alarmed == 1);
    CHECK(rates.damaged.count == 4);
    CHECK(rates.damaged.within == 2);
    CHECK(rates.damaged.alarmed == 2);
    CHECK(rates.damaged.alarmed_within == 1);
    CHECK(rates.damaged.median_error == 2.5);
    CHECK(rates.share_within[1] == .25);
    CHECK(rates.share_within[2] == .5);
    CHECK(rates.share_within[3] == .75);
    REQUIRE(rates.groups.size() == 3);
    CHECK(rates.groups[0].scenario == "crack");
    CHECK(rates.groups[1].counts.alarmed == 0);
    CHECK(!rates.groups[2].is_damaged);
    CHECK(units[rates.worst.front()].scenario == "uv");
}

TEST_CASE("event rates: without splits every unit is judged") {
    const std::vector<EventUnit> units{unit(0, -1, Split::kNone, "normal"), unit(1, 5, Split::kNone, "crack"),
                                       unit(1, -1, Split::kNone, "crack")};
    CHECK(!has_splits(units));
    CHECK(learning_normals(units) == std::vector<std::size_t>{0});
    CHECK(judged_events(units) == std::vector<std::size_t>{0, 1});
}
