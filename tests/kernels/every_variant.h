#pragma once

#include <doctest/doctest.h>

#include <string>

#include "kernels/cpu_variant.h"

namespace nightshift::tests {

/// Once with each set of instructions that this machine has.
template <typename Check>
void on_every_variant(const Check& check) {
    for (const kernels::CpuVariant variant : kernels::cpu_variants_here()) {
        const std::string cpu(kernels::cpu_variant_name(variant));
        CAPTURE(cpu);
        const kernels::ScopedCpuVariant scoped(variant);
        check();
    }
}

}  // namespace nightshift::tests
