#include "kernels/array_fill.h"

#include <algorithm>

#include "kernels/adam.h"
#include "kernels/cpu/array_ops.h"

namespace nightshift::kernels {
namespace {

/// Words that are drawn before they are used: they stay in the first cache.
constexpr std::size_t kWords = 1024;

void fill(const PhiloxStream& stream, float drop, std::span<float> out) {
    const ArrayOps& ops = array_ops();
    std::uint32_t words[kWords];
    for (std::size_t at = 0; at < out.size(); at += kWords) {
        const auto count = static_cast<std::int64_t>(std::min(kWords, out.size() - at));
        ops.philox(stream, static_cast<std::int64_t>(at), words, count);
        ops.uniforms(words, out.data() + at, count, drop);
    }
}

}  // namespace

void fill_words(const PhiloxStream& stream, std::span<std::uint32_t> out) {
    array_ops().philox(stream, 0, out.data(), static_cast<std::int64_t>(out.size()));
}

void fill_uniforms(const PhiloxStream& stream, std::span<float> out) {
    fill(stream, 0, out);
}

void fill_keep_factors(const PhiloxStream& stream, float drop, std::span<float> out) {
    fill(stream, drop, out);
}

}  // namespace nightshift::kernels
