#include "kernels/cpu/frame_motion.h"

#include "kernels/cpu/compat_columns.h"
#include "kernels/cpu/each_variant.h"

namespace nightshift::kernels {

namespace {

#define NIGHTSHIFT_HALF_VECTORS
#define NIGHTSHIFT_BODY "kernels/cpu/frame_motion.inc"
#include "kernels/cpu/each_variant.inc"

}  // namespace

FrameLoops frame_loops(CpuVariant variant) {
    return {NIGHTSHIFT_VARIANT_OF(advance, variant), NIGHTSHIFT_VARIANT_OF(find_moments, variant)};
}

}  // namespace nightshift::kernels
