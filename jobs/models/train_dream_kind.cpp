#include <nlohmann/json.hpp>

#include "jobs/kinds.h"
#include "jobs/models/native_dream_engine.h"
#include "jobs/models/train_dream.h"
#include "jobs/models/training_rows.h"
#include "jobs/models/training_run.h"
#include "jobs/runtime/torch_module.h"

namespace nightshift::jobs {
namespace {

using nlohmann::json;

nlohmann::ordered_json schema() {
    return one_class_schema(nlohmann::ordered_json::parse(R"JSON({
        "epochs": {"type": "integer", "default": 50, "minimum": 1, "maximum": 100000,
            "description": "Passes over the training rows", "x-ko": "에폭 수"},
        "batch": {"type": "integer", "default": 32, "minimum": 1, "maximum": 1000000,
            "description": "Rows a step", "x-ko": "배치 크기"},
        "lr": {"type": "number", "default": 0.001, "exclusiveMinimum": 0, "maximum": 1,
            "description": "Learning rate of Adam", "x-ko": "학습률"},
        "engine": {"type": "string", "enum": ["auto", "native", "torch"], "default": "auto",
            "x-ko": "계산 엔진", "description": "auto: our own on the CPU, LibTorch on a GPU where built in"},
        "amp": {"type": "boolean", "default": false, "description": "bfloat16 matrix products on a GPU",
            "x-ko": "GPU에서 bfloat16 사용"},
        "seed": {"type": "integer", "default": 42, "minimum": 0,
            "description": "Of weights, order, anomalies and dropout", "x-ko": "난수 시드"}
    })JSON"),
                            true);
}

/// Which engine that is, only the job's device tells.
class AutoDream final : public JobImpl {
  public:
    explicit AutoDream(const json& params) : params_(params) {}
    void run(JobContext& context) override {
        const bool wants_torch = context.device() == ComputeDevice::kCuda && has_torch_module();
        const std::unique_ptr<JobImpl> job = wants_torch
                                                 ? make_torch_job("train.dream", params_)
                                                 : make_train_dream(params_, make_native_dream_engine);
        job->run(context);
    }

  private:
    json params_;
};

std::unique_ptr<JobImpl> make(const json& params) {
    if (params.at("engine") == "auto") return std::make_unique<AutoDream>(params);
    if (params.at("engine") == "native") return make_train_dream(params, make_native_dream_engine);
    if (!has_torch_module()) {
        throw JobError(
            "engine_missing",
            "engine torch needs LibTorch, and " + std::string(kTorchModuleFile) +
                " is not beside the worker; run packaging/setup and build again, or use engine native");
    }
    return make_torch_job("train.dream", params);
}

}  // namespace

Kind train_dream_kind() {
    Kind kind;
    kind.name = "train.dream";
    kind.job_class = JobClass::kTraining;
    kind.summary_en = "Trains an autoencoder and a discriminator against synthetic anomalies";
    kind.summary_ko = "합성 이상에 맞서 오토인코더와 판별기를 학습합니다";
    kind.vram = gibibytes(2);
    kind.ram = gibibytes(2);
    kind.checkpoint = CheckpointMode::kWorker;
    kind.schema = schema;
    kind.artifacts = {model_note(), curves_note()};
    kind.make = make;
    return kind;
}

}  // namespace nightshift::jobs
