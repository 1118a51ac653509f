#include "jobs/evaluate/metrics.h"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <sstream>
#include <string>

#include <nlohmann/json.hpp>

#include "jobs/models/percentile.h"
#include "jobs/table/table.h"

using namespace nightshift::jobs;
using nightshift::kernels::score_steps;
using nightshift::kernels::ScoreSteps;
using nlohmann::json;

namespace {

const std::string kFolder = NIGHTSHIFT_SOURCE_FOLDER "/tests/data/golden/metrics/";

struct Scores {
    std::vector<int> labels;
    std::vector<double> scores;
};

Scores read_scores(const std::string& name) {
    std::ifstream file(kFolder + "scores_" + name + ".csv");
    std::string line;
    std::getline(file, line);
    Scores out;
    while (std::getline(file, line)) {
        out.labels.push_back(std::stoi(line));
        out.scores.push_back(std::stod(line.substr(line.find(',') + 1)));
    }
    return out;
}

bool is_close(double value, double expected) {
    return std::abs(value - expected) <= 1e-12 * std::max(1.0, std::abs(expected));
}
double round4(double value) {
    return std::round(value * 1e4) / 1e4;
}

}  // namespace

TEST_CASE("metrics: areas, thresholds and percentiles of the reference data") {
    const json cases = json::parse(std::ifstream(kFolder + "metrics.json"));
    REQUIRE(cases.size() == 6);
    for (const json& each : cases) {
        const auto name = each.at("case").get<std::string>();
        CAPTURE(name);
        const auto [labels, scores] = read_scores(name);
        REQUIRE(!labels.empty());
        const ScoreSteps steps = score_steps(labels, scores);
        CHECK(is_close(roc_auc(labels, scores), each.at("roc_auc")));
        CHECK(is_close(average_precision(steps), each.at("average_precision")));
        CHECK(is_close(pr_auc_trapezoid(steps), each.at("pr_auc_trapezoid")));
        CHECK(roc_curve(steps).size() == each.at("roc_points").get<std::size_t>());
        const std::vector<PrPoint> curve = pr_curve(steps);
        const Table points = read_table(kFolder + "pr_curve_" + name + ".csv");
        const auto thresholds = points.numbers("threshold"), precisions = points.numbers("precision"),
                   recalls = points.numbers("recall");
        REQUIRE(curve.size() + 1 == points.rows());  // scikit-learn closes it at recall 0
        for (std::size_t i = 0; i < curve.size(); ++i) {
            CHECK(curve[i].threshold == thresholds[i]);
            CHECK(is_close(curve[i].precision, precisions[i]));
            CHECK(is_close(curve[i].recall, recalls[i]));
        }
        const PrPoint best = best_f1(curve);
        const json& rounded = each.at("goal1_metrics_rounded");
        CHECK(round4(best.threshold) == rounded.at("best_threshold").get<double>());
        CHECK(round4(best.precision) == rounded.at("precision").get<double>());
        CHECK(round4(best.recall) == rounded.at("recall").get<double>());
        CHECK(round4(best.f1()) == rounded.at("f1").get<double>());
        const PrPoint strict = precision_first(curve, 0.997, 0);
        const json& strict_expected = each.at("precision_priority_997");
        CHECK(is_close(strict.threshold, strict_expected.at("threshold")));
        const Confusion confusion = confusion_at(labels, scores, strict.threshold);
        const json found{{confusion.true_negative, confusion.false_positive},
                         {confusion.false_negative, confusion.true_positive}};
        CHECK(found == strict_expected.at("confusion_matrix"));
        CHECK(is_close(confusion.precision(), strict_expected.at("precision")));
        CHECK(is_close(confusion.recall(), strict_expected.at("recall")));
        CHECK(is_close(precision_first(curve, 0.9, 0.2).threshold,
                       each.at("precision_priority_90_20").at("threshold")));
        for (const auto& [percent, expected] : each.at("percentiles").items()) {
            CHECK(is_close(percentile(scores, std::stod(percent)), expected));
        }
    }
}

TEST_CASE("metrics: a class that is missing gives no number") {
    const std::vector<int> labels{0, 0};
    const std::vector<double> scores{1, 2};
    CHECK(std::isnan(roc_auc(labels, scores)));
    CHECK(std::isnan(average_precision(score_steps(labels, scores))));
    CHECK(std::isnan(best_f1(pr_curve(score_steps(labels, scores))).threshold));
    CHECK(confusion_at(labels, scores, 2).false_positive == 1);
    CHECK(std::isnan(percentile({}, 50)));
}

TEST_CASE("metrics: the bootstrap interval repeats, holds the area and shrinks with the data") {
    const auto [labels, scores] = read_scores("plain");
    const double area = roc_auc(labels, scores);
    const Interval one = roc_auc_interval(score_steps(labels, scores), 400, 7);
    const Interval again = roc_auc_interval(score_steps(labels, scores), 400, 7);
    CHECK(one.low == again.low);
    CHECK(one.high == again.high);
    CHECK(one.low < area);
    CHECK(area < one.high);
    // Hanley and McNeil's standard error for this area and these counts is about 0.03.
    CHECK(one.high - one.low > 0.06);
    CHECK(one.high - one.low < 0.18);
    std::vector<int> more_labels;
    std::vector<double> more_scores;
    for (int copy = 0; copy < 9; ++copy) {
        more_labels.insert(more_labels.end(), labels.begin(), labels.end());
        more_scores.insert(more_scores.end(), scores.begin(), scores.end());
    }
    const Interval narrow = roc_auc_interval(score_steps(more_labels, more_scores), 400, 7);
    CHECK(narrow.high - narrow.low < 0.5 * (one.high - one.low));
}

TEST_CASE("metrics: the paired interval of a difference knows that hard rows are hard for both") {
    const auto [labels, scores] = read_scores("plain");
    std::vector<double> better = scores, noisy = scores;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        better[i] += labels[i] == 1 ? 0.3 : 0;
        noisy[i] = i % 2 == 0 ? scores[i] : -scores[i];
    }
    const Interval same = roc_auc_difference_interval(labels, scores, scores, 300, 1);
    CHECK(same.low == 0);
    CHECK(same.high == 0);
    const Interval up = roc_auc_difference_interval(labels, better, scores, 300, 1);
    CHECK(up.low > 0);
    CHECK(up.low < roc_auc(labels, better) - roc_auc(labels, scores));
    CHECK(up.high > roc_auc(labels, better) - roc_auc(labels, scores));
    const Interval down = roc_auc_difference_interval(labels, scores, better, 300, 1);
    CHECK(is_close(down.low, -up.high));
    CHECK(is_close(down.high, -up.low));
    // Resampled apart the two would lie less sharply beside each other.
    const Interval alone = roc_auc_interval(score_steps(labels, scores), 300, 1);
    CHECK(up.high - up.low < alone.high - alone.low);
    CHECK(roc_auc_difference_interval(labels, noisy, scores, 300, 1).high < 0);
    const std::vector<int> one_class(labels.size(), 0);
    CHECK(std::isnan(roc_auc_difference_interval(one_class, scores, better, 300, 1).low));
}
