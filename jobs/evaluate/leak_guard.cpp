#include "jobs/evaluate/leak_guard.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <unordered_set>

#include "jobs/evaluate/logistic.h"
#include "jobs/evaluate/metrics.h"
#include "kernels/pcg64.h"

namespace nightshift::jobs {
namespace {

/// Their mean has a standard error of about .3 / sqrt(shuffles * smaller class) or less.
constexpr int kShuffles = 10;
/// Rows that the shuffled fits use at most: the guard shall not cost more than the evaluation.
constexpr std::size_t kShuffledRowsMax = 4000;

void shuffle(std::vector<int>& labels, kernels::Pcg64& generator) {
    for (std::size_t i = labels.size(); i-- > 1;) {
        std::swap(labels[i], labels[generator.bounded(static_cast<std::uint32_t>(i))]);
    }
}

LabelledRows head(const LabelledRows& rows, std::size_t columns) {
    const std::size_t count = std::min(rows.labels.size(), kShuffledRowsMax);
    // Every n-th row, so that ordered tables keep their mix.
    LabelledRows out;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t r = i * rows.labels.size() / count;
        out.labels.push_back(rows.labels[r]);
        const auto begin = rows.values.begin() + static_cast<std::ptrdiff_t>(r * columns);
        out.values.insert(out.values.end(), begin, begin + static_cast<std::ptrdiff_t>(columns));
    }
    return out;
}

struct Shuffled {
    double mean, standard_error;
};

Shuffled shuffled_auc(LabelledRows learn, LabelledRows judged, std::size_t columns, std::uint64_t seed) {
    learn = head(learn, columns);
    judged = head(judged, columns);
    kernels::Pcg64 generator(seed);
    double sum = 0, squares = 0;
    int count = 0;
    for (int i = 0; i < kShuffles; ++i) {
        shuffle(learn.labels, generator);
        shuffle(judged.labels, generator);
        const LogisticModel model =
            fit_logistic(learn.values, static_cast<std::int64_t>(columns), learn.labels);
        const double area = roc_auc(judged.labels, model.scores(judged.values));
        if (std::isfinite(area)) sum += area, squares += area * area, ++count;
    }
    if (count == 0) return {std::numeric_limits<double>::quiet_NaN(), 0};
    const double mean = sum / count;
    return {mean, std::sqrt(std::max(squares / count - mean * mean, 0.0) / count)};
}

std::int64_t repeated(const LabelledRows& learn, const LabelledRows& judged, std::size_t columns) {
    const auto bytes = [columns](const std::vector<double>& values, std::size_t row) {
        return std::string_view(reinterpret_cast<const char*>(values.data() + row * columns),
                                columns * sizeof(double));
    };
    std::unordered_set<std::string_view> known;
    for (std::size_t r = 0; r < learn.labels.size(); ++r) known.insert(bytes(learn.values, r));
    std::int64_t count = 0;
    for (std::size_t r = 0; r < judged.labels.size(); ++r)
        count += known.contains(bytes(judged.values, r)) ? 1 : 0;
    return count;
}

}  // namespace

std::vector<FeatureAuc> single_feature_aucs(const LabelledRows& rows, const std::vector<std::string>& names) {
    std::vector<FeatureAuc> out;
    std::vector<double> column(rows.labels.size());
    for (std::size_t j = 0; j < names.size(); ++j) {
        double sum = 0, count = 0;
        for (std::size_t r = 0; r < column.size(); ++r) {
            column[r] = rows.values[r * names.size() + j];
            if (std::isfinite(column[r])) sum += column[r], ++count;
        }
        for (double& value : column) {
            if (!std::isfinite(value)) value = count > 0 ? sum / count : 0;
        }
        const double area = roc_auc(rows.labels, column);
        if (std::isfinite(area)) out.push_back({names[j], std::max(area, 1 - area), area >= 0.5});
    }
    std::stable_sort(out.begin(), out.end(),
                     [](const FeatureAuc& a, const FeatureAuc& b) { return a.roc_auc > b.roc_auc; });
    return out;
}

LeakReport guard_against_leaks(const LabelledRows& learn, const LabelledRows& judged,
                               const std::vector<std::string>& names, std::uint64_t seed) {
    LeakReport report;
    const bool has_two_parts = !learn.labels.empty();
    report.features = single_feature_aucs(has_two_parts ? learn : judged, names);
    report.is_feature_leak =
        !report.features.empty() && report.features.front().roc_auc > kSingleFeatureAucMax;
    report.shuffled_roc_auc = std::numeric_limits<double>::quiet_NaN();
    if (!has_two_parts) return report;
    report.shuffles = kShuffles;
    const Shuffled shuffled = shuffled_auc(learn, judged, names.size(), seed);
    report.shuffled_roc_auc = shuffled.mean;
    report.shuffled_standard_error = shuffled.standard_error;
    // A handful of damaged sequences gives such a mean by chance: two standard errors have to agree.
    report.is_shuffle_leak =
        shuffled.mean > kShuffledAucMax && shuffled.mean - 2 * shuffled.standard_error > 0.5;
    report.repeated_rows = repeated(learn, judged, names.size());
    return report;
}

}  // namespace nightshift::jobs
