#pragma once

#include <doctest/doctest.h>

#include <memory>

#include "kernels/backend.h"
#include "kernels/device.h"
#include "tests/kernels/every_variant.h"

namespace nightshift::tests {

using Device = kernels::Backend;

/// With each set of instructions of the CPU, and on the GPU where there is one (or its emulation).
template <typename Check>
void on_every_device(const Check& check) {
    on_every_variant([&] { check(*kernels::make_cpu_backend(1)); });
    if (!kernels::cuda_available()) return;
    const std::unique_ptr<Device> device = kernels::make_cuda_backend(std::size_t{1} << 30);
    check(*device);
    CHECK(device->memory().held_bytes == 0);
}

}  // namespace nightshift::tests
