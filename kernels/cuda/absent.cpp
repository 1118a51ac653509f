// Stands in for the CUDA twins where nvcc is missing: every op refuses, in words.
#include "kernels/device.h"

namespace nightshift::kernels {

bool cuda_available() { return false; }

const char* cuda_unavailable_reason() { return "this build has no CUDA kernels (nvcc was not found)"; }

}  // namespace nightshift::kernels
