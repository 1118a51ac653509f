// Stands in for the CUDA twins where nvcc is missing: every op refuses, in words.
#include "kernels/device.h"
#include "kernels/error.h"
#include "kernels/generator.h"

namespace nightshift::kernels {

bool cuda_available() { return false; }

const char* cuda_unavailable_reason() { return "this build has no CUDA kernels (nvcc was not found)"; }

void generate_tracks_cuda(std::span<const TrackPlan>, std::span<const TrackPlanes>) {
    throw DeviceError(cuda_unavailable_reason());
}

}  // namespace nightshift::kernels
