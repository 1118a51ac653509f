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
    // With engine auto a night on the CPU is better than none; the log names the engine.
    const bool is_auto = params.at("engine") == "auto";
    const auto factory = [is_auto](const DreamEngineOptions& options) {
        try {
            return make_torch_dream_engine(options);
        } catch (const JobError&) {
            if (!is_auto || !options.use_cuda) throw;
        }
        DreamEngineOptions on_cpu = options;
        on_cpu.use_cuda = on_cpu.use_amp = false;
        return make_torch_dream_engine(on_cpu);
    };
    return make_train_dream(params, factory).release();
}
