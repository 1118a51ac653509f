#pragma once

#include "kernels/cpu_variant.h"

/// 1 where the compiler can make functions for more instructions than the build asks for.
#if defined(__x86_64__) && defined(__GNUC__)
#define NIGHTSHIFT_CPU_VARIANTS 1
#include <immintrin.h>  // before any change of target: its own functions keep theirs
#else
#define NIGHTSHIFT_CPU_VARIANTS 0
#endif

/// The function of the namespace that belongs to the variant in use.
#if NIGHTSHIFT_CPU_VARIANTS
#define NIGHTSHIFT_VARIANT_OF(name, variant)                               \
    ((variant) == ::nightshift::kernels::CpuVariant::avx512 ? avx512::name \
     : (variant) == ::nightshift::kernels::CpuVariant::avx2 ? avx2::name   \
                                                            : scalar::name)
#else
#define NIGHTSHIFT_VARIANT_OF(name, variant) (static_cast<void>(variant), scalar::name)
#endif
