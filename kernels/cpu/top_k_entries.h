#pragma once

#include <cstdint>
#include <span>

#include "kernels/top_k.h"

namespace nightshift::kernels {

/// Room for the answer. Checks all that top_k() takes; throws std::invalid_argument.
TopK empty_top_k(const TensorView<const float, 2>& in, std::int64_t k);

/// Writes row y of the answer: k entries of falling_entry(), sorted.
void put_top_k(const TensorView<const float, 2>& in, std::int64_t y, std::span<const std::uint64_t> entries,
               TopK& out);

}  // namespace nightshift::kernels
