#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "kernels/backend.h"
#include "kernels/error.h"
#include "tests/kernels/emulator/faults.h"

namespace nightshift::tests {

/// Each call of the op fails once: no op here makes more.
inline constexpr std::int64_t kCallsMax = 3000;

/// `work` with a device that is lost at its 1st, 2nd, ... call of the runtime, until it gets through.
inline void check_lost(const char* op, const std::function<void(kernels::Backend&)>& work,
                       std::size_t budget_bytes = std::size_t{64} << 20) {
    const std::int64_t held = emulator::allocations_held();
    for (std::int64_t call = 1;; ++call) {
        REQUIRE(call < kCallsMax);
        CAPTURE(call);
        std::string words;
        bool was_lost = false;
        {
            const auto backend = kernels::make_cuda_backend(budget_bytes);
            const emulator::ScopedFault fault(call);
            try {
                work(*backend);
            } catch (const kernels::DeviceError& error) {
                words = error.what();
            }
            was_lost = fault.has_happened();
            CHECK(backend->memory().held_bytes == 0);
        }
        CHECK(emulator::allocations_held() == held);
        if (!was_lost) {
            CHECK(words.empty());
            break;
        }
        // Calls whose failure changes nothing (releasing) may be the last ones.
        if (words.empty()) continue;
        CHECK(words.rfind(op, 0) == 0);
        CHECK(words.find("cudaErrorIllegalAddress") != std::string::npos);
        CHECK(words.find("stream ") != std::string::npos);
    }
}

}  // namespace nightshift::tests
