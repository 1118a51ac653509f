#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace nightshift::kernels {

struct KnnCandidate {
    double squared = 0;
    std::int32_t index = 0;
    bool operator<(const KnnCandidate& other) const {
        return squared < other.squared || (squared == other.squared && index < other.index);
    }
};

/// The k best so far, sorted. k is small, so insertion beats a heap.
class KnnBest {
  public:
    explicit KnnBest(int k) : items_(static_cast<std::size_t>(k)) {}
    void clear() { size_ = 0; }
    /// Infinite until there are k.
    double worst() const {
        return size_ < items_.size() ? std::numeric_limits<double>::infinity() : items_[size_ - 1].squared;
    }
    void offer(KnnCandidate candidate) {
        if (size_ == items_.size() && !(candidate < items_[size_ - 1])) return;
        std::size_t at = size_ < items_.size() ? size_++ : size_ - 1;
        for (; at > 0 && candidate < items_[at - 1]; --at) items_[at] = items_[at - 1];
        items_[at] = candidate;
    }
    const KnnCandidate& operator[](std::size_t index) const { return items_[index]; }

  private:
    std::vector<KnnCandidate> items_;
    std::size_t size_ = 0;
};

/// Squared distances of a query to `kRows` rows at once, each summed in the order of the columns: sums that
/// wait for themselves run beside each other. No number counts as infinite.
template <std::size_t kRows, typename T>
void squared_distances(const T* query, const T* const (&rows)[kRows], std::int64_t columns,
                       double (&out)[kRows]) {
    double sums[kRows] = {};
    for (std::int64_t j = 0; j < columns; ++j) {
        const auto value = static_cast<double>(query[j]);
        for (std::size_t r = 0; r < kRows; ++r) {
            const double difference = value - static_cast<double>(rows[r][j]);
            sums[r] += difference * difference;
        }
    }
    for (std::size_t r = 0; r < kRows; ++r)
        out[r] = std::isnan(sums[r]) ? std::numeric_limits<double>::infinity() : sums[r];
}

}  // namespace nightshift::kernels
