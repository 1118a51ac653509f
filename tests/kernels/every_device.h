#pragma once

#include <doctest/doctest.h>

#include <cstddef>

#include "kernels/backend.h"
#include "tests/kernels/every_backend.h"
#include "tests/kernels/every_variant.h"

namespace nightshift::tests {

/// Once with the CPU's backend and each set of instructions that it has, and once with CUDA's where a GPU
/// answers (or is emulated).
template <typename Check>
void on_every_device(const Check& check, std::size_t budget_bytes = std::size_t{1} << 30) {
    on_every_variant([&] { check(*kernels::make_cpu_backend(1, budget_bytes)); });
    if (!gpu_answers()) return;
    const auto backend = kernels::make_cuda_backend(budget_bytes);
    CAPTURE(backend->info().name);
    check(*backend);
    CHECK(backend->memory().held_bytes == 0);
}

}  // namespace nightshift::tests
