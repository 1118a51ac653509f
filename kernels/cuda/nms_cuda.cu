#include <algorithm>
#include <bit>
#include <string>

#include "kernels/cpu/nms_candidates.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/tiles.cuh"

namespace nightshift::kernels {
namespace {

/// Boxes of a word of the mask, and of a block of threads.
constexpr int kWord = 64;
constexpr int kSettlers = 256;

/// Candidates on the device, the highest score first.
struct Boxes {
    const NmsBox* boxes;
    const std::uint32_t* groups;
    int count, words;
};

/// out mask [64 * gridDim.y, words]: bit j of word w of a row: it overlaps box 64 w + j and is of its group.
/// Boxes up to the row's own are settled before the row is looked at, so their bits mean nothing: words
/// before the row's own stay unset. One block a word of 64 rows, a thread a row; the word's boxes are read
/// once.
__global__ void mark_overlaps(Boxes all, int first_row, float iou_threshold, std::uint64_t* mask) {
    __shared__ NmsBox boxes[kWord];
    __shared__ std::uint32_t groups[kWord];
    const int thread = static_cast<int>(threadIdx.x), word = static_cast<int>(blockIdx.x);
    const int local = static_cast<int>(blockIdx.y) * kWord + thread;
    const int row = first_row + local, column = word * kWord + thread;
    if (column < all.count) {
        boxes[thread] = all.boxes[column];
        groups[thread] = all.groups[column];
    }
    __syncthreads();
    if (row >= all.count || word < row / kWord) return;
    const NmsBox own = all.boxes[row];
    const std::uint32_t group = all.groups[row];
    std::uint64_t bits = 0;
    for (int j = 0; j < kWord && word * kWord + j < all.count; ++j) {
        if (groups[j] == group && overlaps(own, boxes[j], iou_threshold)) bits |= std::uint64_t{1} << j;
    }
    mask[static_cast<std::int64_t>(local) * all.words + word] = bits;
}

/// Goes down the rows of the mask and decides. One block: a thread takes the 64 rows of a word one after the
/// other, which looks at a single word of each, then all threads add what the rows that were kept suppress.
/// inout suppressed [words], of boxes so far   out kept [words]
__global__ void settle(const std::uint64_t* mask, int first_word, int last_word, int words,
                       std::uint64_t* suppressed, std::uint64_t* kept) {
    __shared__ std::uint64_t chosen;
    for (int word = first_word; word < last_word; ++word) {
        const std::uint64_t* rows = mask + static_cast<std::int64_t>(word - first_word) * kWord * words;
        if (threadIdx.x == 0) {
            std::uint64_t out = suppressed[word], in = 0;
            for (int r = 0; r < kWord; ++r) {
                if ((out >> r & 1U) != 0) continue;
                in |= std::uint64_t{1} << r;
                out |= rows[static_cast<std::int64_t>(r) * words + word];
            }
            chosen = in;
            kept[word] = in;
        }
        __syncthreads();
        for (int later = word + 1 + static_cast<int>(threadIdx.x); later < words; later += kSettlers) {
            std::uint64_t out = suppressed[later];
            for (int r = 0; r < kWord; ++r) {
                if ((chosen >> r & 1U) != 0) out |= rows[static_cast<std::int64_t>(r) * words + later];
            }
            suppressed[later] = out;
        }
        __syncthreads();
    }
}

}  // namespace

std::vector<std::int64_t> nms_cuda(Backend& backend, const TensorView<const float, 2>& boxes,
                                   const TensorView<const float, 1>& scores,
                                   const TensorView<const std::int32_t, 1>& classes,
                                   const NmsParams& params) {
    const NmsCandidates candidates = nms_candidates(boxes, scores, classes, params);
    std::vector<std::int64_t> kept;
    if (candidates.boxes.empty() || params.output_max == 0) return kept;
    const auto count = static_cast<int>(candidates.boxes.size());
    const int words = (count + kWord - 1) / kWord;
    const auto row_bytes = static_cast<std::size_t>(words) * sizeof(std::uint64_t);
    const cuda::Op op(backend, "nms", "candidates " + std::to_string(count));
    const Buffer<NmsBox> box_d(backend, std::span<const NmsBox>(candidates.boxes), "nms.boxes");
    const Buffer<std::uint32_t> group_d(backend, std::span<const std::uint32_t>(candidates.groups),
                                        "nms.groups");
    // Rows beyond the last box count as suppressed.
    std::vector<std::uint64_t> bits(static_cast<std::size_t>(words));
    if (count % kWord != 0) bits.back() = ~std::uint64_t{0} << (count % kWord);
    Buffer<std::uint64_t> suppressed(backend, std::span<const std::uint64_t>(bits), "nms.suppressed");
    Buffer<std::uint64_t> kept_d(backend, bits.size(), "nms.kept");
    const auto together = static_cast<int>(cuda::rows_of_tile(backend, 0, row_bytes * kWord, words, 1));
    Buffer<std::uint64_t> mask(backend, static_cast<std::size_t>(together) * kWord * bits.size(), "nms.mask");
    const Boxes all{box_d.data(), group_d.data(), count, words};
    for (int first = 0; first < words; first += together) {
        const int last = std::min(first + together, words);
        cuda::launch(op, "mark_overlaps",
                     dim3(static_cast<unsigned>(words), static_cast<unsigned>(last - first)), kWord, 0,
                     mark_overlaps, all, first * kWord, candidates.iou_threshold, mask.data());
        cuda::launch(op, "settle", 1, kSettlers, 0, settle, mask.data(), first, last, words,
                     suppressed.data(), kept_d.data());
        const auto at = static_cast<std::size_t>(first), size = static_cast<std::size_t>(last - first);
        kept_d.download(std::span(bits).subspan(at, size), at);
        for (std::size_t word = at; word < at + size; ++word) {
            for (std::uint64_t rest = bits[word]; rest != 0; rest &= rest - 1) {
                kept.push_back(
                    candidates.indices[word * kWord + static_cast<std::size_t>(std::countr_zero(rest))]);
                if (static_cast<std::int64_t>(kept.size()) == params.output_max) return kept;
            }
        }
    }
    return kept;
}

}  // namespace nightshift::kernels
