#include "jobs/analyze/risk_figures.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "jobs/analyze/risk_chart.h"
#include "jobs/runtime/job_impl.h"

using namespace nightshift::jobs;

namespace {

/// Names, scenarios and labels without tracks.
class NamedSet final : public Dataset {
  public:
    void add(const std::string& scenario, int label) {
        infos_.emplace_back();
        infos_.back().scenario = scenario;
        infos_.back().label = label;
    }
    std::size_t size() const override { return infos_.size(); }
    const SequenceInfo& info(std::size_t i) const override { return infos_.at(i); }
    Sequence read(std::size_t) const override { throw JobError("no_tracks", "there are none"); }
    const std::string& content_hash() const override { return hash_; }

  private:
    std::vector<SequenceInfo> infos_;
    std::string hash_;
};

std::size_t sum_of(const RiskGroup& group) {
    return std::accumulate(group.bins.begin(), group.bins.end(), std::size_t{0});
}

}  // namespace

TEST_CASE("risk figures: groups, distributions and the sequences to look at") {
    NamedSet set;
    std::vector<SequenceRisk> risks;
    const auto add = [&](const char* scenario, int label, double risk, bool has_metrics = true) {
        risks.push_back({set.size(), risk, risk / 2, 3, has_metrics});
        set.add(scenario, label);
    };
    add("normal", 0, .1);
    add("normal", 0, .3);
    add("normal", 0, .9);
    add("crack", 1, .8);
    add("crack", 1, 1.0);
    add("uv", 1, .2, false);
    add("", -1, .95);
    const RiskFigures found = risk_figures(set, risks, 2, 1);
    CHECK(found.damaged == 3);
    CHECK(found.normal == 3);
    CHECK(found.without_metrics == 1);
    // Of 9 pairs of a damaged and a normal sequence 6 stand in the right order.
    CHECK(found.roc_auc == doctest::Approx(6 / 9.0));
    CHECK(found.interval.low <= found.roc_auc);
    CHECK(found.interval.high >= found.roc_auc);
    REQUIRE(found.groups.size() == 4);
    CHECK(found.groups[0].scenario == "crack");
    CHECK(found.groups[0].roc_auc == doctest::Approx(5 / 6.0));
    CHECK(found.groups[1].scenario == "uv");
    CHECK(found.groups[1].without_metrics == 1);
    CHECK(found.groups[2].scenario == "normal");
    CHECK(std::isnan(found.groups[2].roc_auc));
    CHECK(found.groups[2].median == .3);
    CHECK(found.groups[3].label == -1);
    for (const RiskGroup& group : found.groups) CHECK(sum_of(group) == group.count);
    CHECK(found.groups[0].bins[kRiskBins - 1] == 1);  // a risk of 1 has no bin of its own
    CHECK(found.groups[0].bins[40] == 1);
    CHECK(found.riskiest == std::vector<std::size_t>{4, 6});
    CHECK(found.overlooked == std::vector<std::size_t>{5, 3});
    CHECK(found.suspected == std::vector<std::size_t>{2, 1});
}

TEST_CASE("risk figures: with one class there is no AUC and nobody is overlooked") {
    NamedSet set;
    set.add("crack", 1);
    set.add("crack", 1);
    const RiskFigures found = risk_figures(set, {{0, .2, .1, 0, true}, {1, .4, .1, 0, true}}, 5, 1);
    CHECK(std::isnan(found.roc_auc));
    CHECK(std::isnan(found.interval.low));
    CHECK(std::isnan(found.groups.at(0).roc_auc));
    CHECK(found.overlooked.empty());
    CHECK(found.suspected.empty());
    CHECK(found.riskiest == std::vector<std::size_t>{1, 0});
}

TEST_CASE("risk figures: more scenarios than can be shown are one group, and none is lost") {
    NamedSet set;
    std::vector<SequenceRisk> risks;
    for (int i = 0; i < 40; ++i) {
        // The last by name is the largest.
        for (int k = 0; k < (i == 39 ? 5 : 1); ++k) {
            risks.push_back({set.size(), i / 40.0, 0, 0, true});
            set.add("scenario" + std::to_string(10 + i), 0);
        }
    }
    const RiskFigures found = risk_figures(set, risks, 1, 1);
    REQUIRE(found.groups.size() == kRiskGroups);
    CHECK(found.groups.back().is_rest);
    CHECK(found.groups[kRiskGroups - 2].scenario == "scenario49");
    CHECK(found.groups[kRiskGroups - 2].count == 5);
    std::size_t all = 0;
    for (const RiskGroup& group : found.groups) all += group.count;
    CHECK(all == risks.size());
    const std::string chart = risk_distributions_svg(found.groups);
    CHECK(chart.find("그 밖 others") != std::string::npos);
    CHECK(chart.starts_with("<svg"));
}
