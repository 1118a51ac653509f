#include <algorithm>

#include "kernels/cpu/each_variant.h"
#include "kernels/cpu/key_sort.h"
#include "kernels/cpu/top_k_entries.h"
#include "kernels/order_key.h"

namespace nightshift::kernels {

namespace {

#define NIGHTSHIFT_BODY "kernels/cpu/top_k.inc"
#include "kernels/cpu/each_variant.inc"

/// Columns that are looked at before the threshold may rise.
constexpr std::size_t kTogether = 1024;

/// The best entries of one row. Only what is above the k-th best so far is gathered; whenever twice as many
/// as are wanted have come together, the rest is dropped, so that the work is linear whatever the order.
class Sieve {
  public:
    explicit Sieve(std::size_t k) : k_(k), places_(kTogether) {}

    void start() {
        entries_.clear();
        has_threshold_ = false;
    }

    void take(const float* values, std::size_t count, std::size_t first) {
        const auto entry = [&](std::size_t i) {
            return falling_entry(values[i], static_cast<std::uint32_t>(first + i));
        };
        if (has_threshold_) {
            const auto places_above = NIGHTSHIFT_VARIANT_OF(places_above, cpu_variant());
            const std::size_t found = places_above(values, count, threshold_, places_.data());
            for (std::size_t p = 0; p < found; ++p) entries_.push_back(entry(places_[p]));
        } else {
            for (std::size_t i = 0; i < count; ++i) entries_.push_back(entry(i));
        }
        if (entries_.size() >= 2 * k_ + kTogether / 2) drop_rest();
    }

    const std::vector<std::uint64_t>& sorted() {
        drop_rest();
        sort_keys(entries_, spare_);
        return entries_;
    }

  private:
    void drop_rest() {
        if (entries_.size() <= k_) return;
        const auto last = entries_.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
        std::nth_element(entries_.begin(), last, entries_.end());
        entries_.resize(k_);
        const auto key = static_cast<std::uint32_t>(entries_.back() >> 32);
        threshold_ = float_of_falling_key(key);
        // Numbers have to be gathered while NaNs are among the best.
        has_threshold_ = threshold_ == threshold_;
    }

    const std::size_t k_;
    std::vector<std::uint32_t> places_;
    std::vector<std::uint64_t> entries_, spare_;
    float threshold_ = 0;
    bool has_threshold_ = false;
};

}  // namespace

TopK top_k_cpu(const TensorView<const float, 2>& in, std::int64_t k) {
    TopK out = empty_top_k(in, k);
    if (k == 0) return out;
    Sieve sieve(static_cast<std::size_t>(k));
    float copied[kTogether];
    for (std::int64_t y = 0; y < in.shape[0]; ++y) {
        const float* row = in.data + y * in.strides[0];
        sieve.start();
        for (std::size_t first = 0; first < static_cast<std::size_t>(in.shape[1]); first += kTogether) {
            const std::size_t count = std::min(kTogether, static_cast<std::size_t>(in.shape[1]) - first);
            const float* values = row + static_cast<std::int64_t>(first) * in.strides[1];
            for (std::size_t i = 0; in.strides[1] != 1 && i < count; ++i)
                copied[i] = values[static_cast<std::int64_t>(i) * in.strides[1]];
            sieve.take(in.strides[1] == 1 ? values : copied, count, first);
        }
        put_top_k(in, y, sieve.sorted(), out);
    }
    return out;
}

}  // namespace nightshift::kernels
