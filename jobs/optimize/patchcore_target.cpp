#include <nlohmann/json.hpp>

#include "jobs/models/patchcore.h"
#include "jobs/models/scorer.h"
#include "jobs/optimize/model_data.h"
#include "jobs/optimize/target.h"

namespace nightshift::jobs {
namespace {

enum Place { kBank, kNeighbours, kSampling };

SearchSpace space(const nlohmann::json&) {
    return {{"bank", Dimension::Kind::kInteger, 16, 100'000, true, 6, {}},
            {"k", Dimension::Kind::kInteger, 1, 25, true, 5, {}},
            {"sampling", Dimension::Kind::kChoice, 0, 1, false, 2, {"random", "greedy"}}};
}

class PatchCoreTarget final : public Target {
  public:
    PatchCoreTarget(const nlohmann::json& params, const SearchSpace& searched, JobContext& context)
        : data_(params, context), words_(searched[kSampling].words), seed_(params.at("seed")) {}

    std::optional<double> value(const Point& point, JobContext& context) override {
        PatchCoreOptions options;
        options.bank = point[kBank];
        options.k = static_cast<int>(point[kNeighbours]);
        const std::string& sampling = words_[static_cast<std::size_t>(point[kSampling])];
        options.sampling =
            sampling == "greedy" ? PatchCoreOptions::Sampling::kGreedy : PatchCoreOptions::Sampling::kRandom;
        options.seed = seed_;
        options.threads = context.threads();
        options.backend = data_.backend();
        const auto columns = data_.training().columns();
        const auto bank =
            pick_bank(data_.rows(), options, data_.room(), [&](double) { return !context.stop_requested(); });
        if (!bank) return std::nullopt;
        Model model = data_.untrained("patchcore");
        model.settings_json = nlohmann::json{{"k", options.k}, {"precision", "fp64"}}.dump();
        model.tensors.push_back(
            {"bank", {static_cast<std::int64_t>(bank->picks.size()), columns}, bank->values});
        return data_.validation_auc(model, context);
    }
    std::string metric() const override { return "ROC AUC of the validation sequences"; }

  private:
    ModelData data_;
    std::vector<std::string> words_;
    std::uint64_t seed_;
};

}  // namespace

TargetKind patchcore_target() {
    return {"patchcore",
            {"features", "dataset", "columns", "normalize", "rows"},
            space,
            [](const nlohmann::json& params, const SearchSpace& searched,
               JobContext& context) -> std::unique_ptr<Target> {
                return std::make_unique<PatchCoreTarget>(params, searched, context);
            }};
}

}  // namespace nightshift::jobs
