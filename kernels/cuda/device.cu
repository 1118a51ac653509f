#include "kernels/device.h"

#include <cuda_runtime_api.h>

namespace nightshift::kernels {

namespace {
cudaError_t probe() {
    int count = 0;
    const cudaError_t code = cudaGetDeviceCount(&count);
    if (code != cudaSuccess) return code;
    return count > 0 ? cudaSuccess : cudaErrorNoDevice;
}
}  // namespace

bool cuda_available() {
    return probe() == cudaSuccess;
}

const char* cuda_unavailable_reason() {
    const cudaError_t code = probe();
    return code == cudaSuccess ? "" : cudaGetErrorString(code);
}

}  // namespace nightshift::kernels
