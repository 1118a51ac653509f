#pragma once

#include <string>

#include "kernels/device.h"
#include "kernels/error.h"

namespace nightshift::kernels {

/// What every CUDA twin does where nvcc is missing.
[[noreturn]] inline void refuse_cuda() {
    throw DeviceError(std::string(cuda_unavailable_reason()) + "; use --device cpu");
}

}  // namespace nightshift::kernels
