#pragma once

#include <cstdint>

#include "tests/kernels/emulator/include/cuda_runtime_api.h"

/// What tests ask of the emulated device besides what CUDA's interface has.
namespace emulator {

/// From the `calls`-th call of the runtime on (1 = the next), calls that do something give `code`, as those
/// of a device do that was lost; until the fault's end.
class ScopedFault {
  public:
    explicit ScopedFault(std::int64_t calls, cudaError_t code = cudaErrorIllegalAddress);
    ~ScopedFault();
    ScopedFault(const ScopedFault&) = delete;
    ScopedFault& operator=(const ScopedFault&) = delete;
    bool has_happened() const;
};

/// Allocations of device and pinned memory that nobody has released.
std::int64_t allocations_held();

}  // namespace emulator
