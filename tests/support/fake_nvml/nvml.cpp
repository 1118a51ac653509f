// A driver that does what a script says, as libnvidia-ml.so.1: what the daemon calls of the NVML API
// Reference Guide (https://docs.nvidia.com/deploy/nvml-api/).

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <mutex>
#include <thread>

#include "daemon/gpu/nvml_abi.h"
#include "tests/support/fake_nvml/script.h"

namespace nightshift::fake_nvml {

namespace {

using namespace nvml;

constexpr auto kLook = std::chrono::milliseconds(10);
/// A test that ended without lifting its block must not keep a process for ever.
constexpr int kLooksMax = 60 * 100;

/// One loaded copy of the library: gone with dlclose(), new with the next dlopen().
struct Copy {
    std::mutex mutex;
    bool is_initialized = false;
    int generation = 0;
    /// Taken at the start and with each look at the memory, so that one sample sees one script.
    Script script;

    Copy() {
        script = read_script();
        generation = script.generation;
        note("loaded");
    }
    ~Copy() { note("unloaded"); }
};

Copy& copy() {
    static Copy one;
    return one;
}

/// What every call does first: waits while the script blocks it, answers what the script says.
int enter(const char* function, bool needs_init, bool is_fresh = false) {
    Copy& own = copy();
    bool is_waiting = false;
    for (int look = 0; look < kLooksMax; ++look) {
        const Script now = read_script();
        if (!now.blocked.contains(function)) break;
        if (!is_waiting) note(std::string("blocked ") + function);
        is_waiting = true;
        std::this_thread::sleep_for(kLook);
    }
    if (is_waiting) note(std::string("unblocked ") + function);
    const std::lock_guard lock(own.mutex);
    if (is_fresh || is_waiting) own.script = read_script();
    int code = own.script.code_of(function);
    if (code == kSuccess && own.script.generation != own.generation) code = kLibRmVersionMismatch;
    if (code == kSuccess && needs_init && !own.is_initialized) code = kUninitialized;
    note(std::string(function) + " " + std::to_string(code));
    return code;
}

/// Handles are places in the list, counted from 1.
const FakeGpu* find_gpu(const void* handle) {
    const auto place = reinterpret_cast<std::uintptr_t>(handle);
    const auto& gpus = copy().script.gpus;
    return place >= 1 && place <= gpus.size() ? &gpus[place - 1] : nullptr;
}

int give_text(const std::string& text, char* out, unsigned size) {
    if (text.size() + 1 > size) return kInsufficientSize;
    std::memcpy(out, text.c_str(), text.size() + 1);
    return kSuccess;
}

int with_gpu(const char* function, const void* handle, bool is_fresh,
             const std::function<int(const FakeGpu&)>& answer) {
    if (const int code = enter(function, true, is_fresh); code != kSuccess) return code;
    const std::lock_guard lock(copy().mutex);
    const FakeGpu* gpu = find_gpu(handle);
    return gpu == nullptr ? kInvalidArgument : answer(*gpu);
}

int list_processes(const char* function, const void* handle, bool is_graphics, unsigned* count,
                   ProcessInfo* rows) {
    return with_gpu(function, handle, false, [&](const FakeGpu& gpu) {
        std::vector<ProcessInfo> found;
        for (const FakeProcess& process : gpu.processes) {
            if (process.is_graphics != is_graphics) continue;
            found.push_back({process.pid, process.used.value_or(kNotAvailable), ~0U, ~0U});
        }
        const unsigned room = *count;
        *count = static_cast<unsigned>(found.size());
        if (found.size() > room) return kInsufficientSize;
        std::copy(found.begin(), found.end(), rows);
        return kSuccess;
    });
}

int give_if_known(const std::optional<unsigned>& value, unsigned* out) {
    if (!value) return kNotSupported;
    *out = *value;
    return kSuccess;
}

}  // namespace

}  // namespace nightshift::fake_nvml

#define FAKE_NVML_CALL extern "C" __attribute__((visibility("default"))) int

using namespace nightshift::fake_nvml;
using namespace nightshift::nvml;

FAKE_NVML_CALL nvmlInit_v2() {
    if (const int code = enter("nvmlInit_v2", false, true); code != kSuccess) return code;
    const std::lock_guard lock(copy().mutex);
    copy().is_initialized = true;
    return kSuccess;
}

FAKE_NVML_CALL nvmlShutdown() {
    if (const int code = enter("nvmlShutdown", true); code != kSuccess) return code;
    const std::lock_guard lock(copy().mutex);
    copy().is_initialized = false;
    return kSuccess;
}

FAKE_NVML_CALL nvmlSystemGetDriverVersion(char* text, unsigned size) {
    if (const int code = enter("nvmlSystemGetDriverVersion", true); code != kSuccess) return code;
    const std::lock_guard lock(copy().mutex);
    return give_text(copy().script.driver, text, size);
}

FAKE_NVML_CALL nvmlDeviceGetCount_v2(unsigned* count) {
    if (const int code = enter("nvmlDeviceGetCount_v2", true); code != kSuccess) return code;
    const std::lock_guard lock(copy().mutex);
    *count = static_cast<unsigned>(copy().script.gpus.size());
    return kSuccess;
}

FAKE_NVML_CALL nvmlDeviceGetHandleByIndex_v2(unsigned index, void** handle) {
    if (const int code = enter("nvmlDeviceGetHandleByIndex_v2", true); code != kSuccess) return code;
    const std::lock_guard lock(copy().mutex);
    if (index >= copy().script.gpus.size()) return kInvalidArgument;
    *handle = reinterpret_cast<void*>(std::uintptr_t{index} + 1);
    return kSuccess;
}

FAKE_NVML_CALL nvmlDeviceGetUUID(void* handle, char* text, unsigned size) {
    return with_gpu("nvmlDeviceGetUUID", handle, false,
                    [&](const FakeGpu& gpu) { return give_text(gpu.uuid, text, size); });
}

FAKE_NVML_CALL nvmlDeviceGetName(void* handle, char* text, unsigned size) {
    return with_gpu("nvmlDeviceGetName", handle, false,
                    [&](const FakeGpu& gpu) { return give_text(gpu.name, text, size); });
}

FAKE_NVML_CALL nvmlDeviceGetMemoryInfo(void* handle, Memory* memory) {
    return with_gpu("nvmlDeviceGetMemoryInfo", handle, true, [&](const FakeGpu& gpu) {
        // The old form counts what the driver keeps for itself as used.
        const auto used = gpu.used + gpu.reserved;
        *memory = {gpu.total, gpu.total - std::min<unsigned long long>(gpu.total, used), used};
        return kSuccess;
    });
}

FAKE_NVML_CALL nvmlDeviceGetMemoryInfo_v2(void* handle, MemoryV2* memory) {
    return with_gpu("nvmlDeviceGetMemoryInfo_v2", handle, true, [&](const FakeGpu& gpu) {
        if (memory->version != kMemoryV2) return kArgumentVersionMismatch;
        const auto taken = std::min<unsigned long long>(gpu.total, gpu.used + gpu.reserved);
        *memory = {kMemoryV2, gpu.total, gpu.reserved, gpu.total - taken, gpu.used};
        return kSuccess;
    });
}

FAKE_NVML_CALL nvmlDeviceGetComputeRunningProcesses_v3(void* handle, unsigned* count, ProcessInfo* rows) {
    return list_processes("nvmlDeviceGetComputeRunningProcesses_v3", handle, false, count, rows);
}

FAKE_NVML_CALL nvmlDeviceGetGraphicsRunningProcesses_v3(void* handle, unsigned* count, ProcessInfo* rows) {
    return list_processes("nvmlDeviceGetGraphicsRunningProcesses_v3", handle, true, count, rows);
}

FAKE_NVML_CALL nvmlDeviceGetUtilizationRates(void* handle, Utilization* rates) {
    return with_gpu("nvmlDeviceGetUtilizationRates", handle, false, [&](const FakeGpu&) {
        *rates = {50, 10};
        return kSuccess;
    });
}

FAKE_NVML_CALL nvmlDeviceGetTemperature(void* handle, unsigned sensor, unsigned* celsius) {
    return with_gpu("nvmlDeviceGetTemperature", handle, false, [&](const FakeGpu& gpu) {
        return sensor == 0 ? give_if_known(gpu.temperature_c, celsius) : kInvalidArgument;
    });
}

FAKE_NVML_CALL nvmlDeviceGetPowerUsage(void* handle, unsigned* milliwatts) {
    return with_gpu("nvmlDeviceGetPowerUsage", handle, false,
                    [&](const FakeGpu& gpu) { return give_if_known(gpu.power_mw, milliwatts); });
}

FAKE_NVML_CALL nvmlDeviceGetEnforcedPowerLimit(void* handle, unsigned*) {
    return with_gpu("nvmlDeviceGetEnforcedPowerLimit", handle, false,
                    [](const FakeGpu&) { return kNotSupported; });
}

FAKE_NVML_CALL nvmlDeviceGetCurrentClocksEventReasons(void* handle, unsigned long long*) {
    return with_gpu("nvmlDeviceGetCurrentClocksEventReasons", handle, false,
                    [](const FakeGpu&) { return kNotSupported; });
}
