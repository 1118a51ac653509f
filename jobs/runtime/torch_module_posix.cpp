#include "jobs/runtime/torch_module.h"

#include <filesystem>
#include <mutex>
#include <string>

#include <dlfcn.h>

#include <nlohmann/json.hpp>

namespace nightshift::jobs {
namespace {

std::filesystem::path module_path() {
    std::error_code error;
    return std::filesystem::read_symlink("/proc/self/exe", error).parent_path() / kTorchModuleFile;
}

using MakeFunction = JobImpl*(const char*, const nlohmann::json&);

/// Loads once; the module stays for the life of the process.
MakeFunction* load_module() {
    static std::mutex mutex;
    static MakeFunction* make = nullptr;
    const std::lock_guard lock(mutex);
    if (make != nullptr) return make;
    const std::filesystem::path path = module_path();
    void* module = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (module == nullptr) {
        const char* reason = ::dlerror();
        throw JobError("torch_missing", "the LibTorch module cannot be loaded (" +
                                            std::string(reason != nullptr ? reason : "unknown reason") +
                                            "); run packaging/setup and build again, or use engine native");
    }
    const auto version = reinterpret_cast<int (*)()>(::dlsym(module, "nightshift_torch_module_version"));
    const auto found = reinterpret_cast<MakeFunction*>(::dlsym(module, "nightshift_torch_make"));
    if (version == nullptr || found == nullptr || version() != kTorchModuleVersion) {
        throw JobError("torch_missing", path.string() + " comes from another build; build nightshift again");
    }
    make = found;
    return make;
}

}  // namespace

std::unique_ptr<JobImpl> make_torch_job(std::string_view kind, const nlohmann::json& params) {
    std::unique_ptr<JobImpl> job(load_module()(std::string(kind).c_str(), params));
    if (job == nullptr) {
        throw JobError("torch_missing",
                       "the LibTorch module has no kind " + std::string(kind) + "; build nightshift again");
    }
    return job;
}

bool has_torch_module() {
    std::error_code error;
    return std::filesystem::exists(module_path(), error);
}

}  // namespace nightshift::jobs
