#include "jobs/evaluate/baselines.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "jobs/evaluate/logistic.h"

namespace nightshift::jobs {
namespace {

/// Features of the native set that combine a growing kink with a shock in the same frame.
constexpr std::array<std::string_view, 2> kComposites{"onset_and_shock", "sudden_onset_and_shock"};

std::vector<double> column_of(const UnitFeatures& features, std::size_t j, bool is_rising) {
    const std::size_t width = features.names.size();
    std::vector<double> out(features.values.size() / width);
    double sum = 0, count = 0;
    for (std::size_t u = 0; u < out.size(); ++u) {
        out[u] = features.values[u * width + j];
        if (std::isfinite(out[u])) sum += out[u], ++count;
    }
    for (double& value : out) {
        if (!std::isfinite(value)) value = count > 0 ? sum / count : 0;
        if (!is_rising) value = -value;
    }
    return out;
}

}  // namespace

LabelledRows UnitFeatures::rows_of(const Units& units, const std::vector<std::size_t>& which) const {
    LabelledRows out;
    for (const std::size_t u : which) {
        const auto begin = values.begin() + static_cast<std::ptrdiff_t>(u * names.size());
        out.values.insert(out.values.end(), begin, begin + static_cast<std::ptrdiff_t>(names.size()));
        out.labels.push_back(units.label[u]);
    }
    return out;
}

UnitFeatures unit_features(const FeatureSet& set, const SequenceScores& sequences) {
    UnitFeatures out;
    const auto d = static_cast<std::size_t>(set.columns());
    if (static_cast<std::size_t>(set.rows) == sequences.size()) {
        out.names = set.names;
        out.values = set.values(0, set.rows);
        return out;
    }
    for (const std::string& name : set.names) out.names.push_back(name + " (mean)");
    for (const std::string& name : set.names) out.names.push_back(name + " (largest)");
    for (const auto& rows : sequences.rows) {
        std::vector<double> sum(d, 0), count(d, 0), largest(d, std::numeric_limits<double>::quiet_NaN());
        const std::vector<double> values = set.values(rows);
        for (std::size_t r = 0; r < rows.size(); ++r) {
            for (std::size_t j = 0; j < d; ++j) {
                const double value = values[r * d + j];
                if (!std::isfinite(value)) continue;
                sum[j] += value;
                count[j] += 1;
                if (!(value <= largest[j])) largest[j] = value;
            }
        }
        for (std::size_t j = 0; j < d; ++j) {
            out.values.push_back(count[j] > 0 ? sum[j] / count[j] : std::numeric_limits<double>::quiet_NaN());
        }
        out.values.insert(out.values.end(), largest.begin(), largest.end());
    }
    return out;
}

std::vector<std::size_t> learning_units(const Units& units) {
    std::vector<std::size_t> out;
    for (std::size_t u = 0; u < units.size(); ++u) {
        if (units.split[u] == Split::kTrain && units.label[u] >= 0 && !units.is_outside[u]) out.push_back(u);
    }
    return out;
}

std::vector<Candidate> baselines(const Units& units, const UnitFeatures& features) {
    std::vector<Candidate> out;
    const LabelledRows learn = features.rows_of(units, learning_units(units));
    const auto damaged = std::count(learn.labels.begin(), learn.labels.end(), 1);
    if (damaged == 0 || damaged == static_cast<std::ptrdiff_t>(learn.labels.size())) return out;
    const std::vector<FeatureAuc> single = single_feature_aucs(learn, features.names);
    if (!single.empty()) {
        const auto at = std::find(features.names.begin(), features.names.end(), single.front().feature);
        const auto column = static_cast<std::size_t>(at - features.names.begin());
        out.push_back({"best single feature", single.front().feature, true,
                       column_of(features, column, single.front().is_rising), std::nullopt});
    }
    const LogisticModel logistic =
        fit_logistic(learn.values, static_cast<std::int64_t>(features.names.size()), learn.labels);
    out.push_back({std::string(kLogisticRegression),
                   std::to_string(features.names.size()) + " features, " +
                       std::to_string(learn.labels.size()) + " training " + units.noun_en + "s",
                   true, logistic.scores(features.values), std::nullopt});
    for (const std::string_view name : kComposites) {
        const auto at = std::find(features.names.begin(), features.names.end(), name);
        if (at == features.names.end()) continue;
        out.push_back({"untrained composite", std::string(name), true,
                       column_of(features, static_cast<std::size_t>(at - features.names.begin()), true),
                       std::nullopt});
        break;
    }
    return out;
}

}  // namespace nightshift::jobs
