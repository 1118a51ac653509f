#include "jobs/models/native_dream_engine.h"

#include <stdexcept>

#include "jobs/kinds.h"
#include "tests/jobs/models/training_checks.h"

using namespace nightshift::jobs;
using namespace nightshift::tests;

namespace {

/// Makes its batches itself, as our engine does on a GPU; here on the CPU, so that not a bit may differ.
class ResidentEngine final : public DreamEngine {
  public:
    explicit ResidentEngine(const DreamEngineOptions& options)
        : engine_(make_native_dream_engine(options)),
          step_{dream_net(options.shape),
                {options.learning_rate, options.weight_decay},
                options.discriminator_weight,
                options.threads} {}

    DreamLosses step(const DreamBatch&) override { throw std::logic_error("it has the rows"); }
    std::vector<float> gradients() const override { return {}; }
    DreamState state() const override {
        if (!run_) return engine_->state();
        nightshift::kernels::DreamStepState now = run_->state();
        return {now.parameters, now.first_moment, now.second_moment, now.steps};
    }
    void restore(const DreamState& state) override {
        run_->set_state({state.parameters, state.first_moment, state.second_moment, state.steps});
    }
    nightshift::kernels::DreamRun* keep_rows(const RowStore<float>& rows,
                                             const nightshift::kernels::DreamRunOptions& wanted) override {
        nightshift::kernels::DreamRunOptions options = wanted;
        options.step = step_;
        const DreamState now = engine_->state();
        run_ = nightshift::kernels::make_dream_run_cpu(options, rows.all());
        restore(now);
        return run_.get();
    }
    std::string name() const override { return engine_->name(); }

  private:
    std::unique_ptr<DreamEngine> engine_;
    nightshift::kernels::DreamStepOptions step_;
    std::unique_ptr<nightshift::kernels::DreamRun> run_;
};

std::unique_ptr<DreamEngine> make_resident_engine(const DreamEngineOptions& options) {
    return std::make_unique<ResidentEngine>(options);
}

}  // namespace

TEST_CASE("train.dream: an engine that keeps the rows learns the same bits, also when it is resumed") {
    const TemporaryFolder folder;
    const nlohmann::json params = params_of(write_features(folder.path()));
    std::vector<Model> models;
    for (const DreamEngineFactory& factory :
         {DreamEngineFactory(make_native_dream_engine), DreamEngineFactory(make_resident_engine)}) {
        FakeContext context(folder.path() / std::to_string(models.size()));
        make_train_dream(params, factory)->run(context);
        models.push_back(read_model(context.output() / "model"));
    }
    CHECK(models[0].training_json == models[1].training_json);
    CHECK(models[0].threshold == models[1].threshold);
    CHECK(dream_of_model(models[0]).parameters() == dream_of_model(models[1]).parameters());
    // Its batches go by the epoch here, and so do its checkpoints.
    CHECK(train(folder.path() / "whole", params, {}, make_resident_engine) ==
          train(folder.path() / "resumed", params, {4, 8}, make_resident_engine));
}

TEST_CASE("train.dream on native: preempted and resumed ends with the bits of an undisturbed run") {
    check_resume(make_native_dream_engine);
}

TEST_CASE("train.dream on native: a checkpoint of other data is refused") {
    check_foreign_checkpoint(make_native_dream_engine);
}

TEST_CASE("train.dream on native: learns, reports and takes the threshold from the validation split") {
    check_learning(make_native_dream_engine);
}

TEST_CASE("train.dream: auto is our own engine on the CPU, LibTorch or not") {
    const TemporaryFolder folder;
    nlohmann::json params = params_of(write_features(folder.path()));
    params["engine"] = "auto";
    FakeContext context(folder.path() / "a");
    train_dream_kind().make(params)->run(context);
    const Model model = read_model(context.output() / "model");
    CHECK(nlohmann::json::parse(model.training_json).at("engine") == "native cpu");
}
