#include "jobs/runtime/torch_module.h"

#include <string_view>

#include <nlohmann/json.hpp>

#include "jobs/models/native_dream_engine.h"
#include "jobs/models/train_dream.h"
#include "jobs/models/train_supervised.h"
#include "jobs/torch/torch_dream_engine.h"
#include "jobs/torch/torch_supervised_engine.h"

extern "C" int nightshift_torch_module_version() {
    return nightshift::jobs::kTorchModuleVersion;
}

namespace nightshift::jobs {
namespace {

/// LibTorch on the GPU where the options ask for one; `on_cpu` where that fails and `may_fall_back`: a night
/// on the CPU is better than none, and the log names the engine.
template <typename Engine, typename Options>
std::unique_ptr<Engine> made(std::unique_ptr<Engine> (*make)(const Options&),
                             std::unique_ptr<Engine> (*on_cpu)(const Options&), Options options,
                             bool may_fall_back) {
    try {
        return make(options);
    } catch (const JobError&) {
        if (!may_fall_back || !options.use_cuda) throw;
    }
    options.use_cuda = false;
    return on_cpu(options);
}

}  // namespace
}  // namespace nightshift::jobs

extern "C" nightshift::jobs::JobImpl* nightshift_torch_make(const char* kind, const nlohmann::json& params) {
    using namespace nightshift::jobs;
    if (std::string_view(kind) == "train.supervised") {
        return make_train_supervised(params,
                                     [](const SupervisedEngineOptions& options) {
                                         return made(make_torch_supervised_engine,
                                                     make_torch_supervised_engine, options, true);
                                     })
            .release();
    }
    if (std::string_view(kind) != "train.dream") return nullptr;
    const bool is_auto = params.at("engine") == "auto";
    return make_train_dream(params,
                            [is_auto](DreamEngineOptions options) {
                                // bfloat16 is for GPUs; an engine on the CPU leaves it alone.
                                return made(make_torch_dream_engine, make_native_dream_engine,
                                            std::move(options), is_auto);
                            })
        .release();
}
