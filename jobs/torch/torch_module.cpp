#include "jobs/runtime/torch_module.h"

#include <string_view>

#include <nlohmann/json.hpp>

#include "jobs/models/train_dream.h"
#include "jobs/torch/torch_dream_engine.h"

extern "C" int nightshift_torch_module_version() {
    return nightshift::jobs::kTorchModuleVersion;
}

extern "C" nightshift::jobs::JobImpl* nightshift_torch_make(const char* kind, const nlohmann::json& params) {
    using namespace nightshift::jobs;
    if (std::string_view(kind) != "train.dream") return nullptr;
    return make_train_dream(params, make_torch_dream_engine).release();
}
