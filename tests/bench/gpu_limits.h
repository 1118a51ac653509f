#pragma once

#include "kernels/backend.h"

namespace nightshift::bench {

/// What the machine's card can do at most, by kernels that do nothing else: numbers a second.
struct GpuLimits {
    double bytes = 0;  ///< read and written, of a copy much larger than any cache
    double fp32 = 0;   ///< operations, a fused multiply-add being two
    double fp64 = 0;
    double half = 0;  ///< of tensor cores, half precision with sums in float
};

/// Takes less than a second and up to 1 GiB. `share` of the usual work, for a device that is emulated.
GpuLimits gpu_limits(kernels::Backend& backend, double share = 1);

}  // namespace nightshift::bench
