#include "kernels/knn.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "kernels/cpu/in_threads.h"
#include "kernels/cpu/knn_best.h"
#include "kernels/cpu/knn_checks.h"
#include "kernels/cpu/knn_fixed_bank.h"

namespace nightshift::kernels {
namespace {

/// Tiles of queries that share a panel of the bank while it is in the nearest cache.
constexpr int kBlockTiles = 4;
/// So many hits of one query are settled before more are gathered.
constexpr std::size_t kHitsMax = 512;
/// Rows whose distances are computed beside each other.
constexpr int kTogether = 4;

/// A row that may be among the nearest: `low` is the least its squared distance less |q|^2 can be.
struct Hit {
    float low = 0;
    std::int32_t row = 0;
    bool operator<(const Hit& other) const { return low < other.low; }
};

/// One query of a block.
struct Seeker {
    explicit Seeker(int k) : highs(static_cast<std::size_t>(k)), nearest(k) {}
    double norm = 0;           ///< |q|^2; infinite: plain loop
    float width = 0;           ///< from the least to the most, the query's part
    std::vector<float> highs;  ///< k least of the most that squared distances less |q|^2 can be, sorted
    KnnBest nearest;           ///< computed exactly
    std::vector<Hit> hits;
};

/// What one thread works with.
struct Block {
    std::int64_t first = 0;
    std::int64_t first_panel = 0;  ///< of the bank, the panel that is looked at first
    std::vector<Seeker> seekers;
    std::vector<KnnPair> queries;  ///< [tiles, pairs, tile.queries]
    std::vector<float> factors;    ///< what a whole number of a query is
    std::vector<float> limits;     ///< below which a row may be among the nearest
    std::vector<double> centred;
};

template <typename T>
class Search {
  public:
    Search(Rows<T> bank, Rows<T> queries, int k, Neighbours& out)
        : rows_(bank), queries_(queries), k_(k), out_(out), bank_(pack_fixed_bank(bank, knn_tile())) {}

    void run(int threads) {
        const std::int64_t at_once = std::int64_t{kBlockTiles} * bank_.tile.queries;
        const std::int64_t blocks = (queries_.rows + at_once - 1) / at_once;
        in_threads(static_cast<std::size_t>(blocks), threads, [this, at_once] {
            return [this, at_once, block = Block{}](std::size_t b) mutable {
                block.first = static_cast<std::int64_t>(b) * at_once;
                answer(block, std::min(at_once, queries_.rows - block.first));
            };
        });
    }

  private:
    void answer(Block& block, std::int64_t count) const {
        while (static_cast<std::int64_t>(block.seekers.size()) < count) block.seekers.emplace_back(k_);
        if (bank_.is_usable) {
            const int tiles = pack(block, count);
            for (std::int64_t i = 0; i < bank_.panels; ++i) {
                const std::int64_t panel = (block.first_panel + i) % bank_.panels;
                for (int t = 0; t < tiles; ++t) filter(block, t, panel);
            }
        }
        for (std::int64_t i = 0; i < count; ++i) {
            Seeker& seeker = block.seekers[static_cast<std::size_t>(i)];
            if (!bank_.is_usable || std::isinf(seeker.norm))
                plain(block.first + i, seeker);
            else
                settle(block.first + i, seeker, block.limits[static_cast<std::size_t>(i)]);
            store(block.first + i, seeker.nearest);
            // Queries beside each other are often alike: where one found its nearest, the next begins.
            block.first_panel = seeker.nearest[0].index / bank_.tile.rows;
            seeker.hits.clear();
            seeker.nearest.clear();
        }
    }

    /// Gives the number of tiles; places beyond the last query and queries that do not fit single precision
    /// get a limit that nothing is below.
    int pack(Block& block, std::int64_t count) const {
        const std::int64_t wide = bank_.tile.queries;
        const std::int64_t tiles = (count + wide - 1) / wide;
        const auto places = static_cast<std::size_t>(tiles * wide);
        block.queries.assign(places * static_cast<std::size_t>(bank_.pairs), 0);
        block.factors.assign(places, 0.0F);
        block.limits.assign(places, std::numeric_limits<float>::quiet_NaN());
        block.centred.resize(static_cast<std::size_t>(rows_.columns) + 1);
        for (std::int64_t i = 0; i < count; ++i) {
            Seeker& seeker = block.seekers[static_cast<std::size_t>(i)];
            KnnPair* to = block.queries.data() + (i / wide * bank_.pairs) * wide + i % wide;
            const KnnFixedRow packed =
                pack_fixed_row(queries_.row(block.first + i), bank_.centre, wide, block.centred.data(), to);
            seeker.norm = packed.norm;
            block.factors[static_cast<std::size_t>(i)] = packed.factor;
            if (seeker.norm < kKnnFilterMax * kKnnFilterMax)
                block.limits[static_cast<std::size_t>(i)] = std::numeric_limits<float>::infinity();
            else
                seeker.norm = std::numeric_limits<double>::infinity();
            seeker.highs.assign(seeker.highs.size(), std::numeric_limits<float>::infinity());
            seeker.width = static_cast<float>(2 * bank_.unit * seeker.norm);
        }
        return static_cast<int>(tiles);
    }

    /// One panel against one tile of queries.
    void filter(Block& block, int tile, std::int64_t panel) const {
        const int wide = bank_.tile.queries, high = bank_.tile.rows;
        float lows[kKnnTileQueriesMax * kKnnTileRowsMax];
        std::uint32_t hits[kKnnTileQueriesMax];
        float* limits = block.limits.data() + tile * wide;
        const KnnTileQueries queries{block.queries.data() + tile * wide * bank_.pairs,
                                     block.factors.data() + tile * wide, limits};
        std::uint32_t found = bank_.tile.run(queries, bank_.panel(panel), bank_.pairs, lows, hits);
        for (; found != 0; found &= found - 1) {
            const int q = std::countr_zero(found);
            const std::int64_t at = std::int64_t{tile} * wide + q;
            Seeker& seeker = block.seekers[static_cast<std::size_t>(at)];
            const float* low = lows + q * high;
            if (panel == block.first_panel && rows_.rows >= (panel + 1) * high)
                limits[q] = first_limit(seeker, low, high);
            gather(seeker, hits[q], low, panel * high, limits[q]);
            if (seeker.hits.size() > kHitsMax) settle(block.first + at, seeker, limits[q]);
        }
    }

    /// A first limit from one panel: the k-th of the least of several groups of rows. Without it most rows
    /// of the panel would be hits.
    float first_limit(const Seeker& seeker, const float* lows, int rows) const {
        constexpr int kGroups = 8;
        if (k_ > kGroups) return std::numeric_limits<float>::infinity();
        float least[kGroups];
        for (int g = 0; g < kGroups; ++g) least[g] = lows[g] + bank_.widths[static_cast<std::size_t>(g)];
        for (int r = kGroups; r < rows; r += kGroups) {
            for (int g = 0; g < kGroups; ++g) {
                const float high = lows[r + g] + bank_.widths[static_cast<std::size_t>(r + g)];
                least[g] = high < least[g] ? high : least[g];
            }
        }
        std::nth_element(least, least + k_ - 1, least + kGroups);
        return least[k_ - 1] + seeker.width;
    }

    void gather(Seeker& seeker, std::uint32_t hits, const float* lows, std::int64_t first,
                float& limit) const {
        float below = limit;
        for (; hits != 0; hits &= hits - 1) {
            const int r = std::countr_zero(hits);
            const auto row = static_cast<std::int32_t>(first + r);
            if (!(lows[r] <= below) || row >= rows_.rows) continue;
            seeker.hits.push_back({lows[r], row});
            const float high = lows[r] + bank_.widths[static_cast<std::size_t>(row)] + seeker.width;
            below = std::min(below, keep_least(seeker.highs, high));
        }
        limit = below;
    }

    /// Puts a value in its place among sorted ones, of which the largest falls out; gives the largest left.
    /// Without a branch, because where it belongs cannot be foreseen.
    static float keep_least(std::vector<float>& sorted, float value) {
        float* values = sorted.data();
        for (std::size_t i = sorted.size() - 1; i > 0; --i)
            values[i] = std::min(values[i], std::max(values[i - 1], value));
        values[0] = std::min(values[0], value);
        return values[sorted.size() - 1];
    }

    /// Computes what may be among the k nearest, likeliest first, and forgets the rest.
    void settle(std::int64_t query, Seeker& seeker, float limit) const {
        std::vector<Hit>& hits = seeker.hits;
        const double below = seeker.norm * (1 - bank_.unit) - bank_.tiny;
        std::erase_if(hits, [limit](const Hit& hit) { return hit.low > limit; });
        std::sort(hits.begin(), hits.end());
        for (std::size_t i = 0; i < hits.size(); i += kTogether) {
            if (static_cast<double>(hits[i].low) + below > seeker.nearest.worst()) break;
            if (i + 1 == hits.size()) {
                seeker.nearest.offer({distance_to(query, hits[i].row), hits[i].row});
                break;
            }
            const T* rows[kTogether];
            double squared[kTogether];
            for (std::size_t r = 0; r < kTogether; ++r)
                rows[r] = rows_.row(hits[std::min(i + r, hits.size() - 1)].row);
            squared_distances(queries_.row(query), rows, rows_.columns, squared);
            for (std::size_t r = 0; r < kTogether && i + r < hits.size(); ++r)
                seeker.nearest.offer({squared[r], hits[i + r].row});
        }
        hits.clear();
    }

    double distance_to(std::int64_t query, std::int64_t row) const {
        const T* const rows[1] = {rows_.row(row)};
        double squared[1];
        squared_distances(queries_.row(query), rows, rows_.columns, squared);
        return squared[0];
    }

    void plain(std::int64_t query, Seeker& seeker) const {
        for (std::int64_t b = 0; b < rows_.rows; ++b)
            seeker.nearest.offer({distance_to(query, b), static_cast<std::int32_t>(b)});
    }

    void store(std::int64_t query, const KnnBest& nearest) const {
        for (int i = 0; i < k_; ++i) {
            const auto at = static_cast<std::size_t>(query * k_ + i);
            out_.distances[at] = std::sqrt(nearest[static_cast<std::size_t>(i)].squared);
            out_.indices[at] = nearest[static_cast<std::size_t>(i)].index;
        }
    }

    Rows<T> rows_, queries_;
    int k_;
    Neighbours& out_;
    KnnFixedBank bank_;
};

template <typename T>
Neighbours search(Rows<T> bank, Rows<T> queries, int k, int threads) {
    check_knn(bank.rows, bank.columns, queries.rows, queries.columns, k);
    Neighbours out;
    out.k = k;
    out.distances.resize(static_cast<std::size_t>(queries.rows * k));
    out.indices.resize(static_cast<std::size_t>(queries.rows * k));
    Search<T>(bank, queries, k, out).run(threads);
    return out;
}

}  // namespace

void check_knn(std::int64_t bank_rows, std::int64_t bank_columns, std::int64_t query_rows,
               std::int64_t query_columns, int k) {
    constexpr std::int64_t kValuesMax = std::numeric_limits<std::int64_t>::max() / 16;
    const bool has_sizes = bank_columns >= 1 && bank_columns == query_columns && query_rows >= 0 &&
                           bank_rows <= std::numeric_limits<std::int32_t>::max();
    const bool fits = has_sizes && bank_rows <= kValuesMax / bank_columns &&
                      query_rows <= kValuesMax / std::max<std::int64_t>(bank_columns, kNeighboursMax);
    if (fits && k >= 1 && k <= kNeighboursMax && k <= bank_rows) return;
    throw std::invalid_argument("knn: bank [" + std::to_string(bank_rows) + ", " +
                                std::to_string(bank_columns) + "], queries [" + std::to_string(query_rows) +
                                ", " + std::to_string(query_columns) + "], k " + std::to_string(k) +
                                ": the sizes do not fit");
}

Neighbours knn_cpu(Rows<double> bank, Rows<double> queries, int k, int threads) {
    return search(bank, queries, k, threads);
}

Neighbours knn_cpu(Rows<float> bank, Rows<float> queries, int k, int threads) {
    return search(bank, queries, k, threads);
}

}  // namespace nightshift::kernels
