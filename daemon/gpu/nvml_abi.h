#pragma once

/// What is used of nvml.h (NVML API Reference Guide, https://docs.nvidia.com/deploy/nvml-api/; CUDA 12 and
/// 13): layouts and numbers as the driver's library has them, so that building needs no CUDA.
namespace nightshift::nvml {

// nvmlReturn_t
inline constexpr int kSuccess = 0;
inline constexpr int kUninitialized = 1;
inline constexpr int kInvalidArgument = 2;
inline constexpr int kNotSupported = 3;
inline constexpr int kNoPermission = 4;
inline constexpr int kInsufficientSize = 7;
inline constexpr int kDriverNotLoaded = 9;
inline constexpr int kLibraryNotFound = 12;
inline constexpr int kFunctionNotFound = 13;
inline constexpr int kGpuIsLost = 15;
inline constexpr int kResetRequired = 16;
inline constexpr int kLibRmVersionMismatch = 18;
inline constexpr int kArgumentVersionMismatch = 25;

inline constexpr unsigned long long kNotAvailable = ~0ULL;  ///< NVML_VALUE_NOT_AVAILABLE
inline constexpr unsigned kTemperatureGpu = 0;              ///< nvmlTemperatureSensors_t

// nvmlClocksEventReasons
inline constexpr unsigned long long kHwSlowdown = 0x8;
inline constexpr unsigned long long kSwThermalSlowdown = 0x20;
inline constexpr unsigned long long kHwThermalSlowdown = 0x40;
inline constexpr unsigned long long kHwPowerBrake = 0x80;

/// nvmlMemory_t; bytes.
struct Memory {
    unsigned long long total, free, used;
};

/// nvmlMemory_v2_t; bytes. The caller sets `version` to kMemoryV2.
struct MemoryV2 {
    unsigned version;
    unsigned long long total, reserved, free, used;
};
inline constexpr unsigned kMemoryV2 = static_cast<unsigned>(sizeof(MemoryV2)) | (2U << 24);

/// nvmlUtilization_t; percent.
struct Utilization {
    unsigned gpu, memory;
};

/// nvmlProcessInfo_t (the form of the _v3 lists); bytes.
struct ProcessInfo {
    unsigned pid;
    unsigned long long used;
    unsigned gpu_instance, compute_instance;
};

}  // namespace nightshift::nvml
