#include "jobs/evaluate/followed_features.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace nightshift::jobs {
namespace {

/// Ranks from 1, equal values at their mean rank, less the mean of all ranks.
std::vector<double> centred_ranks(const std::vector<double>& values) {
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
    std::vector<double> ranks(values.size());
    const double mean = (static_cast<double>(values.size()) + 1) / 2;
    for (std::size_t first = 0; first < order.size();) {
        std::size_t end = first;
        while (end < order.size() && values[order[end]] == values[order[first]]) ++end;
        const double rank = static_cast<double>(first + 1 + end) / 2;
        for (std::size_t i = first; i < end; ++i) ranks[order[i]] = rank - mean;
        first = end;
    }
    return ranks;
}

double length(const std::vector<double>& values) {
    return std::sqrt(std::inner_product(values.begin(), values.end(), values.begin(), 0.0));
}

std::vector<std::size_t> spread_evenly(const std::vector<std::size_t>& which) {
    if (which.size() <= kFollowedUnitsMax) return which;
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < kFollowedUnitsMax; ++i)
        out.push_back(which[i * which.size() / kFollowedUnitsMax]);
    return out;
}

}  // namespace

std::vector<FollowedFeature> followed_features(const std::vector<double>& scores,
                                               const UnitFeatures& features,
                                               const std::vector<std::size_t>& which, std::size_t most) {
    const std::vector<std::size_t> units = spread_evenly(which);
    const auto column = [&](const auto& value_of) {
        std::vector<double> values;
        for (const std::size_t unit : units) values.push_back(value_of(unit));
        return values;
    };
    const std::vector<double> wanted = centred_ranks(column([&](std::size_t unit) { return scores[unit]; }));
    const double wanted_length = length(wanted);
    std::vector<FollowedFeature> out;
    for (std::size_t f = 0; f < features.names.size(); ++f) {
        const std::vector<double> values =
            column([&](std::size_t unit) { return features.values[unit * features.names.size() + f]; });
        if (std::any_of(values.begin(), values.end(), [](double value) { return std::isnan(value); }))
            continue;
        const std::vector<double> ranks = centred_ranks(values);
        const double both = length(ranks) * wanted_length;
        if (both == 0) continue;
        out.push_back(
            {features.names[f], std::inner_product(ranks.begin(), ranks.end(), wanted.begin(), 0.0) / both});
    }
    std::stable_sort(out.begin(), out.end(), [](const FollowedFeature& a, const FollowedFeature& b) {
        return std::abs(a.correlation) > std::abs(b.correlation);
    });
    if (out.size() > most) out.resize(most);
    return out;
}

}  // namespace nightshift::jobs
