#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <string>

#include "kernels/backend.h"
#include "kernels/device.h"

namespace nightshift::tests {

/// Says once why there is none.
inline bool gpu_answers() {
    static const bool answers = [] {
        const bool is_there = kernels::cuda_available();
        if (!is_there) MESSAGE("no GPU: ", std::string(kernels::cuda_unavailable_reason()));
        return is_there;
    }();
    return answers;
}

/// Once with a backend of the CPU, and once with CUDA's where a GPU answers (or is emulated).
template <typename Check>
void on_every_backend(const Check& check, std::size_t budget_bytes = std::size_t{1} << 30) {
    for (const bool is_cuda : {false, true}) {
        if (is_cuda && !gpu_answers()) continue;
        const std::unique_ptr<kernels::Backend> backend =
            is_cuda ? kernels::make_cuda_backend(budget_bytes) : kernels::make_cpu_backend(2, budget_bytes);
        CAPTURE(backend->info().name);
        check(*backend);
    }
}

}  // namespace nightshift::tests
