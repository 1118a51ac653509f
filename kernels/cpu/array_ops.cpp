#include "kernels/cpu/array_ops.h"

#include "kernels/cpu/each_variant.h"

namespace nightshift::kernels {

namespace {

#define NIGHTSHIFT_BODY "kernels/cpu/array_ops.inc"
#include "kernels/cpu/each_variant.inc"

}  // namespace

const ArrayOps& array_ops() {
    const CpuVariant variant = cpu_variant();
    return NIGHTSHIFT_VARIANT_OF(kOps, variant);
}

}  // namespace nightshift::kernels
