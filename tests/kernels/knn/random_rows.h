#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace nightshift::tests {

/// Standard normals times `scale` plus `offset`, row-major.
inline std::vector<double> random_rows(std::size_t rows, std::size_t columns, std::uint64_t seed,
                                       double scale = 1, double offset = 0) {
    std::mt19937_64 generator(seed);
    std::normal_distribution<double> normal(offset, scale);
    std::vector<double> values(rows * columns);
    for (double& value : values) value = normal(generator);
    return values;
}

}  // namespace nightshift::tests
