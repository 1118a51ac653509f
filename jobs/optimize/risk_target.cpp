#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "jobs/analyze/risk_params.h"
#include "jobs/analyze/sequence_analysis.h"
#include "jobs/evaluate/metrics.h"
#include "jobs/fpcb/vector_table.h"
#include "jobs/optimize/judged_dataset.h"
#include "jobs/optimize/risk_front.h"
#include "jobs/optimize/target.h"

namespace nightshift::jobs {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

/// The reference's two searches: a grid over the curve with its own weights, and ranges for everything.
SearchSpace space(const json& params) {
    const auto real = [](const char* name, double low, double high, int points, double least, double most) {
        return Dimension{name, Dimension::Kind::kReal, low, high, false, points, {}, least, most};
    };
    constexpr double kSteepest = 1000;
    if (params.at("method") == "grid") {
        SearchSpace out{real("sigmoid_center", .4, .5, 2, 0, 1),
                        real("sigmoid_steepness", 6, 10, 2, 1e-3, kSteepest)};
        for (const RiskParam& param : risk_params()) {
            if (!param.name.starts_with("w_")) continue;
            const double own = kernels::CompatRisk{}.*param.value;
            out.push_back(real(std::string(param.name).c_str(), own, own, 1, 0, 1));
        }
        return out;
    }
    return {real("sigmoid_center", .3, .7, 5, 0, 1),
            real("sigmoid_steepness", 4, 12, 5, 1e-3, kSteepest),
            real("w_strain", .1, .4, 5, 0, 1),
            real("w_stress", .1, .35, 5, 0, 1),
            real("w_curvature_concentration", .1, .35, 5, 0, 1),
            real("w_bend_angle", .05, .25, 5, 0, 1),
            real("w_impact", .1, .35, 5, 0, 1)};
}

class RiskTarget final : public Target {
  public:
    RiskTarget(const json& params, const SearchSpace& searched, JobContext& context)
        : searched_(searched),
          data_(params, context, is_used, JudgedDataset::Classes::kBoth),
          fronts_(data_.size()),
          has_metrics_(data_.size()) {}

    bool prepare(JobContext& context) override {
        return data_.read_once(context, [this](std::size_t u, const Sequence& sequence) {
            const VectorTable vectors = vector_table(sequence, 0, 0);
            fronts_[u] = risk_front(vectors.vectors, vectors.metrics ? &*vectors.metrics : nullptr, {});
            has_metrics_[u] = vectors.metrics ? 1 : 0;
        });
    }

    std::optional<double> value(const Point& point, JobContext&) override {
        return auc(data_.tuned(), risk_of(point));
    }

    std::string metric() const override {
        return "ROC AUC of the largest risk of " + data_.tuned_words() + " sequences";
    }

    std::optional<ordered_json> verdict(const Point& best, JobContext&) override {
        const auto without = std::count(has_metrics_.begin(), has_metrics_.end(), 0);
        ordered_json out = data_.verdict();
        out["without_frame_metrics"] = without;
        out["roc_auc"] = number(auc(data_.held_out(), risk_of(best)));
        out["roc_auc_defaults"] = number(auc(data_.held_out(), {}));
        return out;
    }

  private:
    static bool is_used(const SequenceInfo& info) { return info.label >= 0 && can_be_analysed(info); }

    static ordered_json number(double value) {
        return std::isfinite(value) ? ordered_json(value) : ordered_json();
    }

    kernels::CompatRisk risk_of(const Point& point) const {
        return risk_from(json(to_json(searched_, point)));
    }

    double auc(const std::vector<std::size_t>& members, const kernels::CompatRisk& risk) const {
        std::vector<int> labels;
        std::vector<double> scores;
        for (const std::size_t u : members) {
            labels.push_back(data_.info(u).label);
            scores.push_back(largest_risk(fronts_[u], risk));
        }
        return roc_auc(labels, scores);
    }

    SearchSpace searched_;
    JudgedDataset data_;
    std::vector<std::vector<RiskInput>> fronts_;  ///< of each used sequence
    std::vector<char> has_metrics_;
};

}  // namespace

TargetKind risk_target() {
    return {
        "risk",
        {"dataset"},
        space,
        [](const json& params, const SearchSpace& searched, JobContext& context) -> std::unique_ptr<Target> {
            return std::make_unique<RiskTarget>(params, searched, context);
        }};
}

}  // namespace nightshift::jobs
