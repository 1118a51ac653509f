#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "kernels/dream_step.h"

namespace nightshift::kernels {
namespace {

constexpr float kChanged = 1e-6F;

}  // namespace

void dream_anomalies(std::span<const float> clean, std::span<const float> uniforms,
                     std::span<const DreamScaling> scalings, std::int64_t columns, std::span<float> anomalous,
                     std::span<float> labels) {
    const std::size_t n = labels.size(), d = static_cast<std::size_t>(columns);
    const bool fits = std::all_of(scalings.begin(), scalings.end(), [&](const DreamScaling& scaling) {
        return scaling.column >= 0 && scaling.column < columns;
    });
    if (columns < 1 || !fits || clean.size() != n * d || anomalous.size() != n * d ||
        uniforms.size() != (1 + scalings.size()) * n) {
        throw std::invalid_argument("dream: rows, uniforms and scalings of a batch do not fit each other");
    }
    std::copy(clean.begin(), clean.end(), anomalous.begin());
    for (std::size_t r = 0; r < n; ++r) {
        labels[r] = 0;
        if (!(uniforms[r] > 0.5F)) continue;
        const float* from = clean.data() + r * d;
        float* to = anomalous.data() + r * d;
        const float* uniform = uniforms.data() + n + r;
        for (const DreamScaling& scaling : scalings) {
            const float product = scaling.span * *uniform;
            to[scaling.column] = from[scaling.column] * (scaling.low + product);
            uniform += n;
        }
        bool is_changed = false;
        for (std::size_t j = 0; j < d; ++j) is_changed |= std::abs(to[j] - from[j]) > kChanged;
        labels[r] = is_changed ? 1.0F : 0.0F;
    }
}

}  // namespace nightshift::kernels
