#include "jobs/analyze/risk_figures.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "jobs/models/percentile.h"

namespace nightshift::jobs {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
/// Resamples of the interval, fewer where the data are many: it is narrow then anyway.
constexpr std::size_t kResamplesMax = 1000, kResampledRowsMax = 20'000'000;

struct Key {
    int order;  ///< damaged, normal, unknown
    std::string scenario;
    auto operator<=>(const Key&) const = default;
};

int label_of(const Key& key) {
    return key.order == 0 ? 1 : key.order == 1 ? 0 : -1;
}

using Members = std::map<Key, std::vector<std::size_t>>;

Members members_of(const Dataset& dataset, const std::vector<SequenceRisk>& risks) {
    Members out;
    for (std::size_t i = 0; i < risks.size(); ++i) {
        const SequenceInfo& info = dataset.info(risks[i].place);
        out[{info.label == 1 ? 0 : info.label == 0 ? 1 : 2, info.scenario}].push_back(i);
    }
    return out;
}

RiskGroup group_of(const std::vector<std::size_t>& members, const std::vector<SequenceRisk>& risks) {
    RiskGroup out;
    out.count = members.size();
    out.roc_auc = kNaN;
    std::vector<double> values;
    for (const std::size_t i : members) {
        values.push_back(risks[i].max);
        out.without_metrics += risks[i].has_metrics ? 0 : 1;
        const auto bin = static_cast<std::size_t>(risks[i].max * static_cast<double>(kRiskBins));
        ++out.bins[std::min(bin, kRiskBins - 1)];
    }
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    out.least = *low;
    out.largest = *high;
    out.median = percentile(values, 50);
    return out;
}

double auc_against(const std::vector<double>& normal, const std::vector<std::size_t>& members,
                   const std::vector<SequenceRisk>& risks) {
    std::vector<double> scores = normal;
    std::vector<int> labels(normal.size(), 0);
    for (const std::size_t i : members) {
        scores.push_back(risks[i].max);
        labels.push_back(1);
    }
    return roc_auc(labels, scores);
}

/// The first `named` of `members` by risk, rising or falling; of equal ones the earlier first.
std::vector<std::size_t> first_by_risk(std::vector<std::size_t> members,
                                       const std::vector<SequenceRisk>& risks, std::size_t named,
                                       bool is_falling) {
    std::stable_sort(members.begin(), members.end(), [&](std::size_t a, std::size_t b) {
        return is_falling ? risks[a].max > risks[b].max : risks[a].max < risks[b].max;
    });
    members.resize(std::min(members.size(), named));
    return members;
}

/// Groups that are shown by themselves: the largest; the last place is for all others together.
std::set<Key> shown_groups(const Members& members) {
    std::vector<const Members::value_type*> order;
    for (const auto& each : members) order.push_back(&each);
    std::stable_sort(order.begin(), order.end(),
                     [](const auto* a, const auto* b) { return a->second.size() > b->second.size(); });
    if (order.size() > kRiskGroups) order.resize(kRiskGroups - 1);
    std::set<Key> out;
    for (const auto* each : order) out.insert(each->first);
    return out;
}

void add_groups(const Members& members, const std::vector<SequenceRisk>& risks,
                const std::vector<double>& normal, std::vector<RiskGroup>& out) {
    const std::set<Key> shown = shown_groups(members);
    std::vector<std::size_t> rest;
    for (const auto& [key, list] : members) {
        if (!shown.contains(key)) {
            rest.insert(rest.end(), list.begin(), list.end());
            continue;
        }
        out.push_back(group_of(list, risks));
        out.back().scenario = key.scenario;
        out.back().label = label_of(key);
        if (out.back().label == 1) out.back().roc_auc = auc_against(normal, list, risks);
    }
    if (rest.empty()) return;
    out.push_back(group_of(rest, risks));
    out.back().is_rest = true;
}

}  // namespace

RiskFigures risk_figures(const Dataset& dataset, const std::vector<SequenceRisk>& risks, std::size_t named,
                         std::uint64_t seed) {
    RiskFigures out;
    std::vector<std::size_t> all(risks.size()), damaged, normal;
    std::vector<double> normal_risks;
    for (std::size_t i = 0; i < risks.size(); ++i) {
        all[i] = i;
        out.without_metrics += risks[i].has_metrics ? 0 : 1;
        const int label = dataset.info(risks[i].place).label;
        if (label < 0) continue;
        (label == 1 ? damaged : normal).push_back(i);
        if (label == 0) normal_risks.push_back(risks[i].max);
        out.labels.push_back(label);
        out.scores.push_back(risks[i].max);
    }
    out.damaged = damaged.size();
    out.normal = normal.size();
    const kernels::ScoreSteps steps = kernels::score_steps(out.labels, out.scores);
    out.roc_auc = kernels::roc_auc(steps);
    out.interval = {kNaN, kNaN};
    if (std::isfinite(out.roc_auc)) {
        const std::size_t resamples =
            std::clamp(kResampledRowsMax / out.labels.size(), std::size_t{100}, kResamplesMax);
        out.interval = roc_auc_interval(steps, static_cast<int>(resamples), seed);
    }
    add_groups(members_of(dataset, risks), risks, normal_risks, out.groups);
    out.riskiest = first_by_risk(std::move(all), risks, named, true);
    if (out.normal > 0 && out.damaged > 0) {
        out.overlooked = first_by_risk(std::move(damaged), risks, named, false);
        out.suspected = first_by_risk(std::move(normal), risks, named, true);
    }
    return out;
}

}  // namespace nightshift::jobs
