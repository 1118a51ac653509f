#include <nlohmann/json.hpp>

#include "jobs/kinds.h"
#include "jobs/models/training_run.h"
#include "jobs/runtime/torch_module.h"

namespace nightshift::jobs {
namespace {

using nlohmann::json;

nlohmann::ordered_json schema() {
    return nlohmann::ordered_json::parse(R"JSON({
        "type": "object",
        "properties": {
            "features": {"type": "string", "x-artifact": "table",
                "description": "Table of features: a file or job:ID", "x-ko": "특징 표: 파일 또는 job:ID"},
            "dataset": {"type": "string", "x-artifact": "dataset",
                "x-ko": "데이터 세트 (라벨·분할·지도의 출처, 특징이 없으면 추출)",
                "description": "Data set: labels, splits, maps; features are extracted if missing"},
            "label": {"type": "string", "default": "label", "x-ko": "라벨 열 (손상 1, 정상 0)",
                "description": "Column with 1 for damaged, 0 for normal"},
            "group": {"type": "string", "x-ko": "그룹 이름 열 (특징으로 쓰지 않음)",
                "description": "Column that names a row's group and is no feature"},
            "columns": {"type": "array", "items": {"type": "string"}, "x-ko": "쓸 열; 없으면 모든 숫자 열",
                "description": "Columns to use; every numeric column without it"},
            "map": {"type": "boolean", "default": false,
                "x-ko": "프레임 × 위치 지도도 학습 (dataset 필요, 학습이 약 100배 느려짐)",
                "description": "Learn from frame x place maps, too: needs dataset, a hundred times as slow"},
            "epochs": {"type": "integer", "default": 60, "minimum": 1, "maximum": 100000,
                "description": "Passes over the training rows, at most", "x-ko": "최대 에폭 수"},
            "patience": {"type": "integer", "default": 15, "minimum": 1, "maximum": 100000,
                "description": "Epochs without a better one on the validation split before it ends",
                "x-ko": "검증 분할에서 나아지지 않아도 기다릴 에폭 수"},
            "batch": {"type": "integer", "default": 64, "minimum": 1, "maximum": 65536,
                "description": "Rows a step", "x-ko": "배치 크기"},
            "lr": {"type": "number", "default": 0.001, "exclusiveMinimum": 0, "maximum": 1,
                "description": "Learning rate of Adam at the start; it falls to 0", "x-ko": "학습률 (0까지 감소)"},
            "width": {"type": "integer", "default": 64, "minimum": 1, "maximum": 1024,
                "description": "Neurons of a hidden layer", "x-ko": "은닉층의 뉴런 수"},
            "seed": {"type": "integer", "default": 42, "minimum": 0,
                "description": "Of weights, order, dropout and noise", "x-ko": "난수 시드"}
        }
    })JSON");
}

std::unique_ptr<JobImpl> make(const json& params) {
    if (!has_torch_module()) {
        throw JobError("engine_missing",
                       "train.supervised needs LibTorch, and " + std::string(kTorchModuleFile) +
                           " is not beside the worker; run packaging/setup and build again. "
                           "Scoring with a trained model works without it");
    }
    return make_torch_job("train.supervised", params);
}

}  // namespace

Kind train_supervised_kind() {
    Kind kind;
    kind.name = "train.supervised";
    kind.job_class = JobClass::kTraining;
    kind.summary_en = "Trains a small network on labelled features and maps";
    kind.summary_ko = "라벨이 있는 특징과 지도로 작은 신경망을 학습합니다";
    kind.vram = gibibytes(2);
    kind.ram = gibibytes(2);
    kind.checkpoint = CheckpointMode::kWorker;
    kind.schema = schema;
    kind.artifacts = {model_note(), curves_note()};
    kind.make = make;
    return kind;
}

}  // namespace nightshift::jobs
