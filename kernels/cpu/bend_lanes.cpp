#include "kernels/cpu/bend_lanes.h"

#include "kernels/cpu/each_variant.h"

namespace nightshift::kernels {

namespace {

/// A row of lanes, wherever it lies.
typedef double LaneRow __attribute__((vector_size(kBendLanes * sizeof(double)), aligned(8), may_alias));

#define NIGHTSHIFT_BODY "kernels/cpu/bend_lanes.inc"
#include "kernels/cpu/each_variant.inc"

}  // namespace

FollowBend follow_bend(CpuVariant variant) {
    return NIGHTSHIFT_VARIANT_OF(follow, variant);
}

}  // namespace nightshift::kernels
