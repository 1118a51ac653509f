#include "daemon/gpu/nvml_library.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>

#include "daemon/gpu/nvml_abi.h"
#include "daemon/paths.h"

namespace nightshift::daemon {

namespace {

using namespace nvml;
using Handle = void*;
/// Slowdown and brake, not the power cap.
constexpr unsigned long long kThrottleAlarms =
    kHwSlowdown | kSwThermalSlowdown | kHwThermalSlowdown | kHwPowerBrake;

}  // namespace

struct NvmlLibrary::Functions {
    void* library = nullptr;
    int (*init)() = nullptr;
    int (*shutdown)() = nullptr;
    int (*count)(unsigned*) = nullptr;
    int (*by_index)(unsigned, Handle*) = nullptr;
    int (*uuid)(Handle, char*, unsigned) = nullptr;
    int (*name)(Handle, char*, unsigned) = nullptr;
    int (*driver)(char*, unsigned) = nullptr;
    int (*memory)(Handle, Memory*) = nullptr;
    int (*memory_v2)(Handle, MemoryV2*) = nullptr;
    int (*compute)(Handle, unsigned*, ProcessInfo*) = nullptr;
    int (*graphics)(Handle, unsigned*, ProcessInfo*) = nullptr;
    int (*utilization)(Handle, Utilization*) = nullptr;
    int (*temperature)(Handle, unsigned, unsigned*) = nullptr;
    int (*power)(Handle, unsigned*) = nullptr;
    int (*power_limit)(Handle, unsigned*) = nullptr;
    int (*throttle)(Handle, unsigned long long*) = nullptr;

    template <typename Function>
    bool find(Function& function, const char* symbol) {
        function = reinterpret_cast<Function>(dlsym(library, symbol));
        return function != nullptr;
    }
    bool find_all() {
        find(memory_v2, "nvmlDeviceGetMemoryInfo_v2");
        find(compute, "nvmlDeviceGetComputeRunningProcesses_v3");
        find(graphics, "nvmlDeviceGetGraphicsRunningProcesses_v3");
        find(utilization, "nvmlDeviceGetUtilizationRates");
        find(temperature, "nvmlDeviceGetTemperature");
        find(power, "nvmlDeviceGetPowerUsage");
        find(power_limit, "nvmlDeviceGetEnforcedPowerLimit");
        if (!find(throttle, "nvmlDeviceGetCurrentClocksEventReasons")) {
            find(throttle, "nvmlDeviceGetCurrentClocksThrottleReasons");
        }
        return find(init, "nvmlInit_v2") && find(shutdown, "nvmlShutdown") &&
               find(count, "nvmlDeviceGetCount_v2") && find(by_index, "nvmlDeviceGetHandleByIndex_v2") &&
               find(uuid, "nvmlDeviceGetUUID") && find(name, "nvmlDeviceGetName") &&
               find(driver, "nvmlSystemGetDriverVersion") && find(memory, "nvmlDeviceGetMemoryInfo");
    }
};

NvmlLibrary::NvmlLibrary() : call_(std::make_unique<Functions>()) {}

NvmlLibrary::~NvmlLibrary() {
    if (call_->library == nullptr) return;
    if (call_->shutdown != nullptr) call_->shutdown();
    dlclose(call_->library);
}

NvmlLibrary::Loaded NvmlLibrary::load() {
    Loaded loaded;
    std::unique_ptr<NvmlLibrary> library(new NvmlLibrary());
    if (const int code = library->open(); code != kSuccess) {
        loaded.is_absent = code == kLibraryNotFound || code == kDriverNotLoaded;
        loaded.fault = describe_nvml_error(code);
        return loaded;
    }
    if (library->devices_.empty()) {
        loaded.is_absent = true;
        loaded.fault = "The driver shows no GPU any more. If it stays away, restart the machine.";
        return loaded;
    }
    loaded.library = std::move(library);
    return loaded;
}

int NvmlLibrary::open() {
    call_->library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    if (call_->library == nullptr) return kLibraryNotFound;
    if (!call_->find_all()) {
        call_->shutdown = nullptr;  // nothing was begun
        return kFunctionNotFound;
    }
    if (const int code = call_->init(); code != kSuccess) {
        call_->shutdown = nullptr;
        return code;
    }
    unsigned count = 0;
    if (const int code = call_->count(&count); code != kSuccess) return code;
    read_devices(count);
    // Cards that are there but tell nothing are a fault, not a machine without a GPU.
    return count > 0 && devices_.empty() ? last_error_ : kSuccess;
}

void NvmlLibrary::read_devices(unsigned count) {
    std::array<char, 96> text{};
    std::string driver;
    if (call_->driver(text.data(), static_cast<unsigned>(text.size())) == kSuccess) driver = text.data();
    for (unsigned i = 0; i < count; ++i) {
        Handle handle = nullptr;
        Memory memory{};
        int code = call_->by_index(i, &handle);
        if (code == kSuccess) code = call_->memory(handle, &memory);
        if (code == kSuccess) code = call_->uuid(handle, text.data(), static_cast<unsigned>(text.size()));
        if (code != kSuccess) {
            last_error_ = code;
            continue;
        }
        Device device;
        device.uuid = text.data();
        device.index = static_cast<int>(i);
        device.driver = driver;
        device.total = Bytes{static_cast<std::int64_t>(memory.total)};
        if (call_->name(handle, text.data(), static_cast<unsigned>(text.size())) == kSuccess)
            device.name = text.data();
        devices_.push_back(std::move(device));
        handles_.push_back(handle);
    }
}

DeviceSample NvmlLibrary::sample(std::size_t index) const {
    DeviceSample sample;
    sample.uuid = devices_[index].uuid;
    const Handle handle = handles_[index];
    MemoryV2 v2{};
    v2.version = kMemoryV2;
    Memory v1{};
    if (call_->memory_v2 != nullptr && call_->memory_v2(handle, &v2) == kSuccess) {
        // What the driver keeps for itself is not free either.
        sample.used = Bytes{static_cast<std::int64_t>(v2.used + v2.reserved)};
    } else if (const int code = call_->memory(handle, &v1); code == kSuccess) {
        sample.used = Bytes{static_cast<std::int64_t>(v1.used)};
    } else {
        sample.is_healthy = false;
        sample.fault = describe_nvml_error(code);
        return sample;
    }
    read_processes(index, sample);
    Utilization utilization{};
    unsigned value = 0;
    if (call_->utilization != nullptr && call_->utilization(handle, &utilization) == kSuccess) {
        sample.utilization = utilization.gpu / 100.0;
    }
    if (call_->temperature != nullptr && call_->temperature(handle, kTemperatureGpu, &value) == kSuccess) {
        sample.temperature_c = value;
    }
    if (call_->power != nullptr && call_->power(handle, &value) == kSuccess) sample.power_w = value / 1000.0;
    if (call_->power_limit != nullptr && call_->power_limit(handle, &value) == kSuccess) {
        sample.power_limit_w = value / 1000.0;
    }
    unsigned long long reasons = 0;
    if (call_->throttle != nullptr && call_->throttle(handle, &reasons) == kSuccess &&
        (reasons & kThrottleAlarms) != 0) {
        sample.throttle =
            (reasons & (kSwThermalSlowdown | kHwThermalSlowdown)) != 0 ? "thermal" : "power brake";
    }
    return sample;
}

void NvmlLibrary::read_processes(std::size_t index, DeviceSample& sample) const {
    bool is_any_told = false;
    bool is_all_told = true;
    for (const auto list : {call_->compute, call_->graphics}) {
        if (list == nullptr) continue;
        std::vector<ProcessInfo> rows(64);
        auto count = static_cast<unsigned>(rows.size());
        int code = list(handles_[index], &count, rows.data());
        for (int round = 0; code == kInsufficientSize && round < 4; ++round) {
            rows.resize(count + 16u);
            count = static_cast<unsigned>(rows.size());
            code = list(handles_[index], &count, rows.data());
        }
        if (code == kNotSupported) continue;  // e.g. no graphics on a card for computing
        is_any_told = is_any_told || code == kSuccess;
        is_all_told = is_all_told && code == kSuccess;
        for (unsigned i = 0; code == kSuccess && i < count && i < rows.size(); ++i) {
            if (rows[i].used == kNotAvailable) {
                is_all_told = false;
                continue;
            }
            const auto same = [&](const ProcessMemory& known) { return known.pid == rows[i].pid; };
            if (std::any_of(sample.processes.begin(), sample.processes.end(), same)) continue;
            const auto name = read_file("/proc/" + std::to_string(rows[i].pid) + "/comm", 256);
            sample.processes.push_back({rows[i].pid, Bytes{static_cast<std::int64_t>(rows[i].used)},
                                        name ? name->substr(0, name->find('\n')) : "another program"});
        }
    }
    sample.has_process_memory = is_any_told && is_all_told;
}

}  // namespace nightshift::daemon
