#pragma once

#include <algorithm>
#include <cmath>
#include <random>
#include <span>
#include <vector>

#include "kernels/dream_step.h"

namespace nightshift::tests {

inline std::vector<float> normals(std::int64_t count, std::uint64_t seed, float scale = 1) {
    std::mt19937_64 generator(seed);
    std::normal_distribution<float> normal(0, scale);
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& value : values) value = normal(generator);
    return values;
}

/// Weights of the size that PyTorch starts linear layers with.
inline std::vector<float> dream_parameters(const kernels::DreamNetShape& shape, std::uint64_t seed) {
    std::vector<float> parameters;
    for (const kernels::DreamNetLayer& layer : kernels::dream_net_layers(shape)) {
        const std::vector<float> own =
            normals(layer.end() - layer.offset, seed++, 0.6F / std::sqrt(static_cast<float>(layer.in)));
        parameters.insert(parameters.end(), own.begin(), own.end());
    }
    return parameters;
}

/// One batch with its arrays.
struct DreamCase {
    kernels::DreamNetShape shape;
    std::int64_t rows;
    std::vector<float> clean, anomalous, labels, keep;

    DreamCase(kernels::DreamNetShape of, std::int64_t n, std::uint64_t seed, bool has_keep)
        : shape(std::move(of)), rows(n), clean(normals(n * shape.columns, seed)), anomalous(clean) {
        labels.resize(static_cast<std::size_t>(n));
        for (std::int64_t r = 0; r < n; r += 2) {
            labels[static_cast<std::size_t>(r)] = 1;
            for (std::int64_t j = 0; j < shape.columns; ++j)
                anomalous[static_cast<std::size_t>(r * shape.columns + j)] *= 1.3F;
        }
        if (!has_keep) return;
        std::int64_t hidden = 0;
        for (const auto& layer : kernels::dream_net_layers(shape)) hidden += layer.is_hidden ? layer.out : 0;
        keep.assign(static_cast<std::size_t>(hidden * n), 1.25F);
        for (std::size_t i = 0; i < keep.size(); i += 5) keep[i] = 0;
    }

    kernels::DreamStepBatch batch() const { return {rows, clean, anomalous, labels, keep}; }
    kernels::DreamStepOptions options() const { return {shape, {1e-3, 1e-5}, 0.5}; }
    kernels::DreamStepState start() const {
        const std::vector<float> parameters = dream_parameters(shape, 77);
        return {parameters, std::vector<float>(parameters.size()), std::vector<float>(parameters.size()), 0};
    }
};

/// Largest |a - b|, relative to the largest |b|; huge where a number is not one.
inline double relative_error(std::span<const float> a, std::span<const float> b) {
    if (a.size() != b.size()) return 1e30;
    double error = 0, largest = 1e-30;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double difference = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
        error = std::isnan(difference) ? 1e30 : std::max(error, difference);
        largest = std::max(largest, std::abs(static_cast<double>(b[i])));
    }
    return error / largest;
}

}  // namespace nightshift::tests
