#pragma once

#include <cuda_runtime_api.h>

#include <string>

#include "kernels/error.h"

/// Throws DeviceError with the call's text and the driver's message.
#define CUDA_CHECK(call) ::nightshift::kernels::cuda::check((call), #call)

namespace nightshift::kernels::cuda {

inline void check(cudaError_t code, const char* call) {
    if (code == cudaSuccess) return;
    std::string message = std::string(call) + ": " + cudaGetErrorString(code);
    if (code == cudaErrorMemoryAllocation)
        message += "; submit the job with a larger vram budget or use --device cpu";
    throw DeviceError(message);
}

}  // namespace nightshift::kernels::cuda
