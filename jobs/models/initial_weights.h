#pragma once

#include <cstdint>
#include <vector>

#include "kernels/philox.h"

namespace nightshift::jobs {

/// Fills `parameters` from `begin` to before `end` uniformly from -bound to bound with Philox: a number hangs
/// on its place, `draw` (one a kind of model) and `seed` alone.
inline void draw_uniform(std::vector<float>& parameters, std::int64_t begin, std::int64_t end, float bound,
                         std::uint32_t draw, std::uint64_t seed) {
    for (std::int64_t i = begin; i < end; ++i) {
        const kernels::PhiloxWords words =
            kernels::philox({static_cast<std::uint32_t>(i / 4), 0, draw, 0}, seed);
        const std::uint32_t lanes[4] = {words.w0, words.w1, words.w2, words.w3};
        parameters[static_cast<std::size_t>(i)] = bound * (2.0F * kernels::unit_float(lanes[i % 4]) - 1.0F);
    }
}

}  // namespace nightshift::jobs
