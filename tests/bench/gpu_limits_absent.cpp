// For builds without nvcc: nobody asks, because no GPU answers there.
#include "tests/bench/gpu_limits.h"

namespace nightshift::bench {

GpuLimits gpu_limits(kernels::Backend&, double) {
    return {};
}

}  // namespace nightshift::bench
