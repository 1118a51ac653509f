#pragma once

#include <cstdint>
#include <vector>

namespace nightshift::kernels {

/// Sorts, rising, in linear time: by one byte after another from the lowest; bytes that all keys share are
/// passed over. Fewer than 2^32 keys. `spare` is room to work in, kept by callers that sort often. Any
/// thread.
void sort_keys(std::vector<std::uint64_t>& keys, std::vector<std::uint64_t>& spare);

}  // namespace nightshift::kernels
