#include "jobs/table/arrow_module.h"

#include <mutex>

#include <dlfcn.h>

#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {

namespace {

struct Functions {
    decltype(&nightshift_arrow_read) read = nullptr;
    decltype(&nightshift_arrow_write) write = nullptr;
};

std::filesystem::path module_path() {
    std::error_code error;
    return std::filesystem::read_symlink("/proc/self/exe", error).parent_path() / kArrowModuleFile;
}

/// Loads once; the module stays for the life of the process.
const Functions& functions() {
    static std::mutex mutex;
    static Functions loaded;
    const std::lock_guard lock(mutex);
    if (loaded.read != nullptr) return loaded;
    const std::filesystem::path path = module_path();
    void* module = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (module == nullptr) {
        const char* reason = ::dlerror();
        throw JobError("no_arrow", "Feather and Parquet need the Arrow module, which cannot be loaded (" +
                                       std::string(reason != nullptr ? reason : "unknown reason") +
                                       "). Use format csv, or run packaging/setup and build again.");
    }
    const auto version = reinterpret_cast<int (*)()>(::dlsym(module, "nightshift_arrow_module_version"));
    Functions found;
    found.read = reinterpret_cast<decltype(found.read)>(::dlsym(module, "nightshift_arrow_read"));
    found.write = reinterpret_cast<decltype(found.write)>(::dlsym(module, "nightshift_arrow_write"));
    if (version == nullptr || version() != kArrowModuleVersion || !found.read || !found.write) {
        throw JobError("no_arrow", path.string() + " comes from another build; build nightshift again");
    }
    loaded = found;
    return loaded;
}

}  // namespace

TableParts arrow_read(const std::filesystem::path& path, TableFormat format) {
    TableParts parts;
    functions().read(path.c_str(), static_cast<int>(format), parts);
    if (!parts.error.empty()) throw JobError("bad_table", path.string() + ": " + parts.error);
    return parts;
}

void arrow_write(const TableParts& parts, const std::filesystem::path& path, TableFormat format) {
    std::string error;
    functions().write(parts, path.c_str(), static_cast<int>(format), error);
    if (!error.empty()) throw JobError("io_error", path.string() + ": " + error);
}

bool has_arrow_module() {
    std::error_code error;
    return std::filesystem::exists(module_path(), error);
}

}  // namespace nightshift::jobs
