#include "kernels/knn.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>

#include <Eigen/Core>

namespace nightshift::kernels {
namespace {

using FloatRows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Queries of one block: their approximate distances to the whole bank stay in cache at m = 1,000.
constexpr std::int64_t kQueryBlock = 32;
/// Above this share of offset to spread, rounding of the centring itself could exceed the bound.
constexpr double kCentringLimit = 1e6;
/// Squares of larger values do not fit a float.
constexpr double kFloatFilterMax = 1e15;

struct Candidate {
    double squared = 0;
    std::int32_t index = 0;
    bool operator<(const Candidate& other) const {
        return squared < other.squared || (squared == other.squared && index < other.index);
    }
};

/// The k best so far, sorted. k is small, so insertion beats a heap.
class Best {
  public:
    explicit Best(int k) : items_(static_cast<std::size_t>(k)) {}
    void clear() { size_ = 0; }
    double worst() const {
        return size_ < items_.size() ? std::numeric_limits<double>::infinity() : items_[size_ - 1].squared;
    }
    void offer(Candidate candidate) {
        if (size_ == items_.size() && !(candidate < items_[size_ - 1])) return;
        std::size_t at = size_ < items_.size() ? size_++ : size_ - 1;
        for (; at > 0 && candidate < items_[at - 1]; --at) items_[at] = items_[at - 1];
        items_[at] = candidate;
    }
    const Candidate& operator[](std::size_t index) const { return items_[index]; }

  private:
    std::vector<Candidate> items_;
    std::size_t size_ = 0;
};

template <typename T>
double squared_distance(const T* a, const T* b, std::int64_t columns) {
    double sum = 0;
    for (std::int64_t j = 0; j < columns; ++j) {
        const double difference = static_cast<double>(a[j]) - static_cast<double>(b[j]);
        sum += difference * difference;
    }
    return sum;
}

/// The bank as the filter sees it: centred, float, with squared norms.
struct Filter {
    bool is_usable = false;
    std::vector<double> centre;
    FloatRows bank;
    Eigen::VectorXf norms;
    double unit = 0;  ///< error bound of a squared distance per unit of (|q|^2 + |b|^2)
};

template <typename T>
Filter make_filter(Rows<T> bank) {
    Filter filter;
    const std::int64_t m = bank.rows;
    const std::int64_t d = bank.columns;
    filter.centre.assign(static_cast<std::size_t>(d), 0.0);
    double largest = 0;
    for (std::int64_t i = 0; i < m; ++i) {
        for (std::int64_t j = 0; j < d; ++j) {
            const double value = static_cast<double>(bank.row(i)[j]);
            filter.centre[static_cast<std::size_t>(j)] += value / static_cast<double>(m);
            largest = std::max(largest, std::abs(value));
        }
    }
    if (!(largest < kFloatFilterMax)) return filter;
    filter.bank.resize(m, d);
    filter.norms.resize(m);
    double spread = 0;
    for (std::int64_t i = 0; i < m; ++i) {
        double norm = 0;
        for (std::int64_t j = 0; j < d; ++j) {
            const double value =
                static_cast<double>(bank.row(i)[j]) - filter.centre[static_cast<std::size_t>(j)];
            filter.bank(i, j) = static_cast<float>(value);
            norm += value * value;
        }
        filter.norms(i) = static_cast<float>(norm);
        spread = std::max(spread, norm);
    }
    // Casting two factors, d products and sums, and four operations on the norms: each at most 2^-24 of
    // the terms' size; twice that is taken. |q||b| <= (|q|^2 + |b|^2) / 2.
    filter.unit = static_cast<double>(d + 16) * 0x1p-23;
    filter.is_usable = largest <= kCentringLimit * std::sqrt(spread);
    return filter;
}

template <typename T>
class Search {
  public:
    Search(Rows<T> bank, Rows<T> queries, int k, Neighbours& out)
        : bank_(bank), queries_(queries), k_(k), out_(out), filter_(make_filter(bank)) {}

    void run(int threads) {
        const std::int64_t blocks = (queries_.rows + kQueryBlock - 1) / kQueryBlock;
        const auto work = [this, blocks] {
            FloatRows block, products;
            for (std::int64_t b = next_++; b < blocks; b = next_++)
                block_of(b * kQueryBlock, block, products);
        };
        std::vector<std::thread> others;
        const std::int64_t extra = std::min<std::int64_t>(std::max(threads, 1), blocks) - 1;
        for (std::int64_t t = 0; t < extra; ++t) others.emplace_back(work);
        work();
        for (std::thread& other : others) other.join();
    }

  private:
    void block_of(std::int64_t first, FloatRows& block, FloatRows& products) {
        const std::int64_t count = std::min(kQueryBlock, queries_.rows - first);
        Best best(k_);
        if (!filter_.is_usable) {
            for (std::int64_t q = first; q < first + count; ++q) plain(q, best);
            return;
        }
        block.resize(count, bank_.columns);
        std::vector<double> norms(static_cast<std::size_t>(count));
        for (std::int64_t i = 0; i < count; ++i)
            norms[static_cast<std::size_t>(i)] = centre(first + i, block, i);
        products.noalias() = block * filter_.bank.transpose();
        for (std::int64_t i = 0; i < count; ++i) {
            const double norm = norms[static_cast<std::size_t>(i)];
            if (norm < kFloatFilterMax * kFloatFilterMax) {
                filtered(first + i, norm, products.row(i).data(), best);
            } else {
                plain(first + i, best);
            }
        }
    }

    double centre(std::int64_t query, FloatRows& block, std::int64_t at) const {
        double norm = 0;
        for (std::int64_t j = 0; j < bank_.columns; ++j) {
            const double value =
                static_cast<double>(queries_.row(query)[j]) - filter_.centre[static_cast<std::size_t>(j)];
            block(at, j) = static_cast<float>(value);
            norm += value * value;
        }
        return norm;
    }

    void filtered(std::int64_t query, double norm, float* products, Best& best) const {
        // Pass 1: approximate squared distances, and the k-th smallest of their upper bounds.
        const auto m = static_cast<std::int32_t>(bank_.rows);
        Eigen::Map<Eigen::ArrayXf> approximate(products, m);
        const auto norm_f = static_cast<float>(norm);
        const auto unit = static_cast<float>(filter_.unit);
        approximate = filter_.norms.array() + norm_f - 2.0F * approximate;
        best.clear();
        float limit = std::numeric_limits<float>::infinity();
        for (std::int32_t b = 0; b < m; ++b) {
            const float upper = approximate[b] + unit * (norm_f + filter_.norms[b]);
            if (upper < limit) {
                best.offer({static_cast<double>(upper), b});
                limit = static_cast<float>(best.worst());
            }
        }
        // Pass 2: whatever may be among the k nearest is computed exactly.
        best.clear();
        for (std::int32_t b = 0; b < m; ++b) {
            if (approximate[b] - unit * (norm_f + filter_.norms[b]) <= limit) {
                best.offer({squared_distance(queries_.row(query), bank_.row(b), bank_.columns), b});
            }
        }
        store(query, best);
    }

    void plain(std::int64_t query, Best& best) const {
        best.clear();
        for (std::int32_t b = 0; b < static_cast<std::int32_t>(bank_.rows); ++b) {
            best.offer({squared_distance(queries_.row(query), bank_.row(b), bank_.columns), b});
        }
        store(query, best);
    }

    void store(std::int64_t query, const Best& best) const {
        for (int i = 0; i < k_; ++i) {
            const auto at = static_cast<std::size_t>(query * k_ + i);
            out_.distances[at] = std::sqrt(best[static_cast<std::size_t>(i)].squared);
            out_.indices[at] = best[static_cast<std::size_t>(i)].index;
        }
    }

    Rows<T> bank_, queries_;
    int k_;
    Neighbours& out_;
    Filter filter_;
    std::atomic<std::int64_t> next_{0};
};

template <typename T>
Neighbours search(Rows<T> bank, Rows<T> queries, int k, int threads) {
    if (bank.columns != queries.columns || k < 1 || k > kNeighboursMax || k > bank.rows ||
        bank.rows > std::numeric_limits<std::int32_t>::max()) {
        throw std::invalid_argument("knn: bank " + std::to_string(bank.rows) + " x " +
                                    std::to_string(bank.columns) + ", queries with " +
                                    std::to_string(queries.columns) + " columns, k " + std::to_string(k));
    }
    Neighbours out;
    out.k = k;
    out.distances.resize(static_cast<std::size_t>(queries.rows * k));
    out.indices.resize(static_cast<std::size_t>(queries.rows * k));
    Search<T>(bank, queries, k, out).run(threads);
    return out;
}

}  // namespace

Neighbours knn_cpu(Rows<double> bank, Rows<double> queries, int k, int threads) {
    return search(bank, queries, k, threads);
}

Neighbours knn_cpu(Rows<float> bank, Rows<float> queries, int k, int threads) {
    return search(bank, queries, k, threads);
}

}  // namespace nightshift::kernels
