#include <nlohmann/json.hpp>

#include "jobs/models/dream_training.h"
#include "jobs/models/native_dream_engine.h"
#include "jobs/optimize/model_data.h"
#include "jobs/optimize/target.h"

namespace nightshift::jobs {
namespace {

enum Place { kRate, kBatch, kEpochs };

SearchSpace space(const nlohmann::json&) {
    return {{"lr", Dimension::Kind::kReal, 1e-5, 0.1, true, 5, {}},
            {"batch", Dimension::Kind::kInteger, 8, 4096, true, 4, {}},
            {"epochs", Dimension::Kind::kInteger, 1, 200, true, 4, {}}};
}

/// Trains on the CPU, in one thread, so that a trial is the same on every machine.
class DreamTarget final : public Target {
  public:
    DreamTarget(const nlohmann::json& params, JobContext& context)
        : data_(params, context),
          rows_(std::make_shared<const RowStore<float>>(data_.rows().narrow(data_.room()))),
          seed_(params.at("seed")) {}

    std::optional<double> value(const Point& point, JobContext& context) override {
        DreamTrainingOptions options;
        options.engine.learning_rate = point[kRate];
        options.batch = static_cast<std::int64_t>(point[kBatch]);
        options.epochs = static_cast<std::int64_t>(point[kEpochs]);
        options.seed = seed_;
        options.engine.threads = 1;
        DreamTraining loop(rows_, shared_rows(data_.training().columns(), {}), data_.training().names,
                           options, make_native_dream_engine);
        while (!loop.is_done()) {
            if (context.stop_requested()) return std::nullopt;
            loop.advance();
        }
        Model model = data_.untrained("dream");
        put_dream(loop.model(), model);
        return data_.validation_auc(model, context);
    }
    std::string metric() const override { return "ROC AUC of the validation sequences"; }

  private:
    ModelData data_;
    SharedRows rows_;
    std::uint64_t seed_;
};

}  // namespace

TargetKind dream_target() {
    return {
        "dream",
        {"features", "dataset", "columns", "normalize", "rows"},
        space,
        [](const nlohmann::json& params, const SearchSpace&, JobContext& context) -> std::unique_ptr<Target> {
            return std::make_unique<DreamTarget>(params, context);
        }};
}

}  // namespace nightshift::jobs
