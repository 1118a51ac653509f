#include <doctest/doctest.h>

#include <limits>

#include "jobs/evaluate/event_timeline.h"
#include "jobs/evaluate/followed_features.h"
#include "jobs/evaluate/limits.h"
#include "jobs/evaluate/score_chart.h"

using namespace nightshift::jobs;

namespace {

std::size_t count_of(const std::string& text, const std::string& what) {
    std::size_t count = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
    return count;
}

Units units_of(std::vector<int> labels) {
    Units units;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        units.name.push_back("s" + std::to_string(i));
        units.group.push_back(labels[i] == 1 ? "crack" : "normal");
    }
    units.split.assign(labels.size(), Split::kTest);
    units.is_outside.assign(labels.size(), 0);
    units.label = std::move(labels);
    return units;
}

}  // namespace

TEST_CASE("followed features: by rank, with their sign, ties and all; constants and holes are left out") {
    UnitFeatures features;
    features.names = {"same", "against", "curved", "flat", "holed"};
    const double hole = std::numeric_limits<double>::quiet_NaN();
    for (const double x : {1.0, 2.0, 3.0, 4.0}) {
        for (const double value : {x == 3 ? 1.5 : x, -x, x * x * x, 7.0, x == 2 ? hole : x})
            features.values.push_back(value);
    }
    const auto found = followed_features({10, 20, 30, 40}, features, {0, 1, 2, 3});
    REQUIRE(found.size() == 3);
    CHECK(found[0].name == "against");
    CHECK(found[0].correlation == doctest::Approx(-1));
    CHECK(found[1].name == "curved");
    CHECK(found[1].correlation == doctest::Approx(1));
    CHECK(found[2].name == "same");
    CHECK(found[2].correlation == doctest::Approx(0.8));  // 1 - 6 * 2 / (4 * 15)
    CHECK(followed_features({10, 20, 30, 40}, features, {0, 1, 2, 3}, 1).size() == 1);
    // scipy.stats.spearmanr([1, 1, 2, 3], [1, 2, 3, 4])
    CHECK(followed_features({1, 1, 2, 3}, features, {0, 1, 2, 3})[0].correlation ==
          doctest::Approx(-0.9486832980505138).epsilon(1e-12));
    CHECK(followed_features({5, 5, 5, 5}, features, {0, 1, 2, 3}).empty());
}

TEST_CASE("score chart: normals above, damaged below, variants and what is no number nowhere") {
    Units units = units_of({0, 0, 0, 1, 1, 0, 0});
    units.is_outside[5] = 1;
    ModelResult model;
    model.name = "a<b";
    model.threshold = 5;
    model.scores = {1, 1, 2, 9, 10, 500, std::numeric_limits<double>::infinity()};
    const std::string svg = score_histogram_svg(units, model, {0, 1, 2, 3, 4, 5, 6});
    CHECK(count_of(svg, "class=\"normal\"") == 2);  // both ones share a bar
    CHECK(count_of(svg, "class=\"damaged\"") == 2);
    CHECK(svg.find("normal 3<") != std::string::npos);
    CHECK(svg.find("damaged 2<") != std::string::npos);
    CHECK(svg.find("a&lt;b") != std::string::npos);
    CHECK(svg.find("5.000") != std::string::npos);
    CHECK(score_histogram_svg(units, model, {6}).empty());
    // One value alone is a chart, too.
    CHECK(count_of(score_histogram_svg(units, model, {0}), "class=\"normal\"") == 1);
}

TEST_CASE("event timeline: the event where it is known, else the step that is shown") {
    Sequence sequence;
    sequence.info.points = 1;
    sequence.info.frames = 4;
    sequence.x = {0, 3, 3, 3};
    sequence.y = {0, 4, 4, 4};
    CHECK(event_timeline_svg(sequence, 2, "t").find("step shown 2") != std::string::npos);
    sequence.info.event_frame = 1;
    const std::string svg = event_timeline_svg(sequence, 0, "t");
    CHECK(svg.find("event 1<") != std::string::npos);
    CHECK(svg.find("103.3,14.0 310.0,46.0 516.7,46.0") != std::string::npos);  // one step of five pixels
    sequence.info.frames = 2;
    CHECK(event_timeline_svg(sequence, 0, "t").empty());
}

TEST_CASE("limits: when the damage came, and where the data came from") {
    Evaluation evaluation;
    evaluation.goal = "1";
    evaluation.source = "일월.feather";
    const auto limits = limits_of(evaluation);
    REQUIRE(limits.size() == 2);
    CHECK(limits[0].en.find("goal cpd") != std::string::npos);
    CHECK(limits[1].ko.find("일월.feather") == 0);
    evaluation.goal = "table";
    CHECK(limits_of(evaluation).size() == 1);
}
