#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "kernels/buffer.h"
#include "kernels/memory_ledger.h"
#include "kernels/view.h"

/// Views of the host that go over the device in parts, as large as the budget allows.
namespace nightshift::kernels::cuda {

/// A part takes no more than this, however much room there is.
constexpr std::size_t kTileBytesMax = std::size_t{256} << 20;

/// Threads of a block whose threads have nothing to do with each other, and most blocks of a grid that goes
/// over the rest in strides.
constexpr int kFreeThreads = 256;
constexpr std::int64_t kFreeBlocksMax = 16'384;

inline unsigned free_blocks(std::int64_t count) {
    return static_cast<unsigned>(
        std::clamp<std::int64_t>((count + kFreeThreads - 1) / kFreeThreads, 1, kFreeBlocksMax));
}

/// Rows of `row_bytes` that fit what is left of the budget beside `fixed_bytes`, in `buffers` allocations.
/// At least one: whether that fits is for the Buffers to say.
inline std::int64_t rows_of_tile(const Backend& backend, std::size_t fixed_bytes, std::size_t row_bytes,
                                 std::int64_t rows, std::size_t buffers) {
    const BackendMemory memory = backend.memory();
    const std::size_t taken = memory.held_bytes + fixed_bytes + buffers * MemoryLedger::kGrainBytes;
    const std::size_t left = memory.budget_bytes > taken ? memory.budget_bytes - taken : 0;
    const std::size_t fit = std::min(left, kTileBytesMax) / std::max<std::size_t>(row_bytes, 1);
    return std::clamp<std::int64_t>(static_cast<std::int64_t>(fit), 1, std::max<std::int64_t>(rows, 1));
}

/// The view's elements in the order of their indices, to the beginning of `to`.
template <typename T, std::size_t N>
void upload_view(const TensorView<const T, N>& from, Buffer<T>& to) {
    std::vector<T> storage;
    to.upload({packed(from, storage), static_cast<std::size_t>(element_count(from))});
}

/// The beginning of `from`, which lies in the order of the view's indices.
template <typename T, std::size_t N>
void download_view(const Buffer<T>& from, const TensorView<T, N>& to) {
    const auto count = static_cast<std::size_t>(element_count(to));
    if (is_contiguous(to)) return from.download({to.data, count});
    std::vector<T> storage(count);
    from.download(storage);
    copy_elements<T, N>(contiguous_view(static_cast<const T*>(storage.data()), to.shape), to);
}

/// Calls work(part) with parts of at most `count_max` elements, which make up the view.
template <typename T, typename Work>
void for_each_part(const TensorView<const T, 2>& view, std::int64_t count_max, const Work& work) {
    if (element_count(view) == 0) return;
    const std::int64_t columns = std::min(view.shape[1], count_max);
    const std::int64_t rows = std::min(view.shape[0], std::max<std::int64_t>(count_max / columns, 1));
    for (std::int64_t y = 0; y < view.shape[0]; y += rows) {
        const auto band = sliced(view, 0, y, std::min(rows, view.shape[0] - y));
        for (std::int64_t x = 0; x < view.shape[1]; x += columns)
            work(sliced(band, 1, x, std::min(columns, view.shape[1] - x)));
    }
}

}  // namespace nightshift::kernels::cuda
