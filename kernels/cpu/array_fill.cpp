#include "kernels/array_fill.h"

#include <algorithm>
#include <vector>

#include "kernels/adam.h"
#include "kernels/cpu/array_ops.h"

namespace nightshift::kernels {
namespace {

void fill(const PhiloxStream& stream, float drop, std::span<float> out) {
    std::vector<std::uint32_t> words(out.size());
    fill_words(stream, words);
    array_ops().uniforms(words.data(), out.data(), static_cast<std::int64_t>(out.size()), drop);
}

}  // namespace

void fill_words(const PhiloxStream& stream, std::span<std::uint32_t> out) {
    array_ops().philox(stream, out.data(), static_cast<std::int64_t>(out.size()));
}

void fill_uniforms(const PhiloxStream& stream, std::span<float> out) {
    fill(stream, 0, out);
}

void fill_keep_factors(const PhiloxStream& stream, float drop, std::span<float> out) {
    fill(stream, drop, out);
}

}  // namespace nightshift::kernels
