#pragma once

#include <memory>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {

/// Version of the boundary below; a module of another version is refused by name.
inline constexpr int kTorchModuleVersion = 1;
/// File name of the module, searched beside the worker's binary.
inline constexpr std::string_view kTorchModuleFile = "nightshift-torch.so";

/// Makes a job of the LibTorch module, loading it at the first call (dlopen; stays loaded). Call it from
/// a Kind's `make`, so that only kinds that need LibTorch pay for it. `params` are complete.
/// Throws JobError("torch_missing") where this build or machine has no module, with what to do about it.
std::unique_ptr<JobImpl> make_torch_job(std::string_view kind, const nlohmann::json& params);

/// True where the module lies beside the worker; does not load it.
bool has_torch_module();

}  // namespace nightshift::jobs

/// What the module exports. C names, C++ types: module and worker come from one build.
extern "C" {
/// Returns kTorchModuleVersion of the module's build.
int nightshift_torch_module_version();
/// Returns a job that the caller owns; nullptr for a kind that the module does not have. May throw JobError.
nightshift::jobs::JobImpl* nightshift_torch_make(const char* kind, const nlohmann::json& params);
}
