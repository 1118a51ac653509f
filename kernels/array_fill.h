#pragma once

#include <cstdint>
#include <span>

namespace nightshift::kernels {

/// Which words of Philox an array is filled with: entry i is word i % 4 of the block with counter
/// {i / 4, frame, kind, sequence} under `key`, so any part of it can be drawn alone, on any machine.
struct PhiloxStream {
    std::uint64_t key = 0;
    std::uint32_t frame = 0, kind = 0, sequence = 0;
};

/// The words themselves. Pure; any thread; at most 2^34 entries.
void fill_words(const PhiloxStream& stream, std::span<std::uint32_t> out);
/// Uniform in (0, 1), as unit_float() makes them of the words. Equal bits everywhere.
void fill_uniforms(const PhiloxStream& stream, std::span<float> out);
/// 0 where the uniform is below `drop` (in (0, 1)), else 1 / (1 - drop): factors of dropout.
void fill_keep_factors(const PhiloxStream& stream, float drop, std::span<float> out);

}  // namespace nightshift::kernels
