#pragma once

#include <cstdint>

namespace nightshift::kernels {

/// A matrix that somebody else owns: row-major, without gaps between rows.
template <typename T>
struct Rows {
    const T* data = nullptr;
    std::int64_t rows = 0;
    std::int64_t columns = 0;

    const T* row(std::int64_t index) const { return data + index * columns; }
};

}  // namespace nightshift::kernels
