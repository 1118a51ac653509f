#include "kernels/cpu/top_k_entries.h"

namespace nightshift::kernels {

TopK empty_top_k(const TensorView<const float, 2>& in, std::int64_t k) {
    check_view("top_k: input", in);
    if (in.shape[1] > kTopKColumnsMax)
        throw std::invalid_argument("top_k: rows of " + std::to_string(in.shape[1]) + " columns; at most " +
                                    std::to_string(kTopKColumnsMax) + " are possible");
    if (k < 0 || k > in.shape[1])
        throw std::invalid_argument("top_k: the " + std::to_string(k) + " largest of rows of " +
                                    std::to_string(in.shape[1]) + "; ask for as many as there are at most");
    const std::int64_t shape[] = {in.shape[0], k};
    const auto size = static_cast<std::size_t>(checked_elements("top_k: output", shape));
    TopK out;
    out.k = k;
    out.values.resize(size);
    out.indices.resize(size);
    return out;
}

void put_top_k(const TensorView<const float, 2>& in, std::int64_t y, std::span<const std::uint64_t> entries,
               TopK& out) {
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const auto column = static_cast<std::int32_t>(entries[i] & 0xffffffffu);
        const auto at = static_cast<std::size_t>(y * out.k) + i;
        out.values[at] = in(y, column);
        out.indices[at] = column;
    }
}

}  // namespace nightshift::kernels
