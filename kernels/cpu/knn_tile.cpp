#include "kernels/cpu/knn_tile.h"

#include "kernels/cpu/each_variant.h"

namespace nightshift::kernels {

namespace {

#define NIGHTSHIFT_BODY "kernels/cpu/knn_tile.inc"
#include "kernels/cpu/each_variant.inc"

}  // namespace

KnnTile knn_tile() {
    const CpuVariant variant = cpu_variant();
    return {NIGHTSHIFT_VARIANT_OF(kTileQueries, variant), NIGHTSHIFT_VARIANT_OF(kTileRows, variant),
            NIGHTSHIFT_VARIANT_OF(tile, variant)};
}

}  // namespace nightshift::kernels
