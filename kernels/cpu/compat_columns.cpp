#include "kernels/cpu/compat_columns.h"

#include <cstdint>

#include "kernels/cpu/each_variant.h"

namespace nightshift::kernels {

namespace {

#define NIGHTSHIFT_HALF_VECTORS
#define NIGHTSHIFT_BODY "kernels/cpu/compat_vectors.inc"
#include "kernels/cpu/each_variant.inc"

}  // namespace

CompatLoops compat_loops(CpuVariant variant) {
    return {NIGHTSHIFT_VARIANT_OF(add_steps, variant), NIGHTSHIFT_VARIANT_OF(add_changes, variant),
            NIGHTSHIFT_VARIANT_OF(add_lengths, variant), NIGHTSHIFT_VARIANT_OF(widen, variant),
            NIGHTSHIFT_VARIANT_OF(add_risk, variant)};
}

}  // namespace nightshift::kernels
