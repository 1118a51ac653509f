#include "kernels/cpu/panel_loops.h"

#include <cstdint>

#include "kernels/cpu/each_variant.h"

namespace nightshift::kernels {

namespace {

#define NIGHTSHIFT_HALF_VECTORS
#define NIGHTSHIFT_BODY "kernels/cpu/panel_loops.inc"
#include "kernels/cpu/each_variant.inc"

}  // namespace

PanelLoops panel_loops(CpuVariant variant) {
    return {NIGHTSHIFT_VARIANT_OF(smooth, variant),       NIGHTSHIFT_VARIANT_OF(tangents, variant),
            NIGHTSHIFT_VARIANT_OF(bends, variant),        NIGHTSHIFT_VARIANT_OF(weighted_sums, variant),
            NIGHTSHIFT_VARIANT_OF(project_out, variant),  NIGHTSHIFT_VARIANT_OF(fit_lines, variant),
            NIGHTSHIFT_VARIANT_OF(count_below, variant),  NIGHTSHIFT_VARIANT_OF(take_sizes, variant),
            NIGHTSHIFT_VARIANT_OF(value_of_rank, variant)};
}

}  // namespace nightshift::kernels
