#include "jobs/evaluate/logistic.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

#include "jobs/evaluate/leak_guard.h"
#include "jobs/evaluate/metrics.h"

using namespace nightshift::jobs;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

LabelledRows random_rows(std::size_t count, std::uint64_t seed, double shift) {
    std::mt19937_64 generator(seed);
    std::normal_distribution<double> normal;
    LabelledRows rows;
    for (std::size_t i = 0; i < count; ++i) {
        rows.labels.push_back(i % 4 == 0 ? 1 : 0);
        rows.values.push_back(normal(generator) + shift * rows.labels.back());
        rows.values.push_back(normal(generator));
        rows.values.push_back(7);
    }
    return rows;
}

}  // namespace

TEST_CASE("logistic: at the minimum the gradient of loss and ridge is zero") {
    const LabelledRows rows = random_rows(400, 1, 1.5);
    const LogisticModel model = fit_logistic(rows.values, 3, rows.labels);
    const std::vector<double> scores = model.scores(rows.values);
    double gradient[2] = {model.weights[0], model.weights[1]}, free = 0;
    for (std::size_t i = 0; i < rows.labels.size(); ++i) {
        const double residual = 1 / (1 + std::exp(-scores[i])) - rows.labels[i];
        free += residual;
        for (std::size_t j = 0; j < 2; ++j) {
            gradient[j] += residual * (rows.values[3 * i + j] - model.mean[j]) / model.deviation[j];
        }
    }
    CHECK(std::abs(free) < 1e-5);
    CHECK(std::abs(gradient[0]) < 1e-5);
    CHECK(std::abs(gradient[1]) < 1e-5);
    CHECK(model.deviation[2] == 0);  // a constant column is left out
    CHECK(roc_auc(rows.labels, scores) > 0.8);
}

TEST_CASE("logistic: separable classes and missing values stay finite") {
    const std::vector<double> values{0, 1, 2, kNan, 10, 11, 12};
    const std::vector<int> labels{0, 0, 0, 0, 1, 1, 1};
    const LogisticModel model = fit_logistic(values, 1, labels);
    for (const double score : model.scores(values)) CHECK(std::isfinite(score));
    CHECK(model.weights[0] > 0);
}

TEST_CASE("leak guard: clean data pass, rows on both sides and telling columns do not") {
    const LabelledRows learn = random_rows(400, 2, 1), judged = random_rows(200, 3, 1);
    const std::vector<std::string> names{"a", "b", "c"};
    const LeakReport clean = guard_against_leaks(learn, judged, names, 1);
    CHECK(clean.is_clean());
    CHECK(clean.features.front().feature == "a");
    CHECK(std::abs(clean.shuffled_roc_auc - 0.5) < 0.06);
    CHECK(guard_against_leaks(learn, learn, names, 1).repeated_rows == 400);
    const LeakReport telling = guard_against_leaks(random_rows(400, 2, 9), random_rows(200, 3, 9), names, 1);
    CHECK(telling.is_feature_leak);
    // A falling feature tells as much as a rising one.
    const std::vector<FeatureAuc> falling = single_feature_aucs(random_rows(400, 2, -9), names);
    CHECK(falling.front().roc_auc > 0.99);
    CHECK(!falling.front().is_rising);
}
