#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <string>

#include "kernels/backend.h"
#include "kernels/device.h"
#include "tests/kernels/every_variant.h"

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

/// Once with the CPU's backend and each set of instructions that it has, and once with CUDA's where a GPU
/// answers (or is emulated). Nothing may be held at the end.
template <typename Check>
void on_every_backend(const Check& check, std::size_t budget_bytes = std::size_t{1} << 30) {
    const auto run = [&](kernels::Backend& backend) {
        CAPTURE(backend.info().name);
        check(backend);
        CHECK(backend.memory().held_bytes == 0);
    };
    on_every_variant([&] { run(*kernels::make_cpu_backend(2, budget_bytes)); });
    if (gpu_answers()) run(*kernels::make_cuda_backend(budget_bytes));
}

}  // namespace nightshift::tests
