#include "jobs/models/native_dream_engine.h"

#include "jobs/kinds.h"
#include "tests/jobs/models/training_checks.h"

using nightshift::jobs::make_native_dream_engine;
using namespace nightshift::tests;

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
    nightshift::jobs::train_dream_kind().make(params)->run(context);
    const Model model = read_model(context.output() / "model");
    CHECK(nlohmann::json::parse(model.training_json).at("engine") == "native cpu");
}
