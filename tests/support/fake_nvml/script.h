#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace nightshift::fake_nvml {

struct FakeProcess {
    unsigned pid = 0;
    std::optional<std::uint64_t> used;  ///< nothing: the driver does not tell, as under WDDM
    bool is_graphics = false;
};

struct FakeGpu {
    std::string uuid, name;
    std::uint64_t total = 0, reserved = 0;
    std::uint64_t used = 0;  ///< without what is reserved
    std::optional<unsigned> temperature_c, power_mw;
    std::vector<FakeProcess> processes;
};

/// What the driver is to do now: the content of the file that NIGHTSHIFT_FAKE_NVML names, which a test
/// replaces by renaming another one over it.
struct Script {
    std::string driver = "580.00.00";
    /// Of the kernel module. A library that was loaded under another one is refused with error 18, as after
    /// an update: only loading it anew helps.
    int generation = 1;
    std::map<std::string, int> codes;   ///< what a function answers instead of 0; "*" = every function
    std::set<std::string> blocked;      ///< functions that do not return before the file says otherwise
    std::vector<FakeGpu> gpus;

    int code_of(const std::string& function) const;
};

/// Reads the file; aborts the process when there is none or it cannot be understood: a test that is wrong
/// must not look like a driver that is ill.
Script read_script();

/// Appends "MILLISECONDS WHAT" to the file beside the script whose name ends with ".log", so that a test
/// can wait for what the daemon asked. The clock is the monotonic one.
void note(const std::string& what);

}  // namespace nightshift::fake_nvml
