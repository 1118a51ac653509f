#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <string>

#include "kernels/backend.h"
#include "kernels/device.h"

namespace nightshift::tests {

/// Once with a backend of the CPU, and once with CUDA's where a GPU answers (or is emulated).
template <typename Check>
void on_every_backend(const Check& check, std::size_t budget_bytes = std::size_t{1} << 30) {
    for (const bool is_cuda : {false, true}) {
        if (is_cuda && !kernels::cuda_available()) {
            MESSAGE("no GPU: ", std::string(kernels::cuda_unavailable_reason()));
            continue;
        }
        const std::unique_ptr<kernels::Backend> backend =
            is_cuda ? kernels::make_cuda_backend(budget_bytes) : kernels::make_cpu_backend(2, budget_bytes);
        CAPTURE(backend->info().name);
        check(*backend);
    }
}

}  // namespace nightshift::tests
