#include "jobs/table/arrow_module.h"

#include <mutex>

#include <dlfcn.h>

#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {

namespace {

struct Functions {
    decltype(&nightshift_arrow_open) open = nullptr;
    decltype(&nightshift_arrow_create) create = nullptr;
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
    if (loaded.open != nullptr) return loaded;
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
    found.open = reinterpret_cast<decltype(found.open)>(::dlsym(module, "nightshift_arrow_open"));
    found.create = reinterpret_cast<decltype(found.create)>(::dlsym(module, "nightshift_arrow_create"));
    if (version == nullptr || version() != kArrowModuleVersion || !found.open || !found.create) {
        throw JobError("no_arrow", path.string() + " comes from another build; build nightshift again");
    }
    loaded = found;
    return loaded;
}

}  // namespace

ArrowOpened arrow_open(const std::filesystem::path& path, TableFormat format) {
    ArrowOpened opened;
    functions().open(path.c_str(), static_cast<int>(format), opened);
    if (!opened.error.empty()) throw JobError("bad_table", path.string() + ": " + opened.error);
    return opened;
}

std::unique_ptr<ArrowWriter> arrow_create(const std::filesystem::path& path, TableFormat format,
                                          const std::vector<ColumnHead>& columns,
                                          const std::map<std::string, std::string>& notes,
                                          ByteListener* listener) {
    ArrowCreated created;
    functions().create(path.c_str(), static_cast<int>(format), columns, notes, listener, created);
    if (!created.error.empty()) throw JobError("io_error", path.string() + ": " + created.error);
    return std::move(created.writer);
}

bool has_arrow_module() {
    std::error_code error;
    return std::filesystem::exists(module_path(), error);
}

}  // namespace nightshift::jobs
