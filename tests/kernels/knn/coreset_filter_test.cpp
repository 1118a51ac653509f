#include "kernels/cpu/coreset_filter.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "kernels/cpu/coreset_rows.h"
#include "tests/kernels/every_variant.h"
#include "tests/kernels/knn/coreset_rows.h"
#include "tests/kernels/knn/random_rows.h"
#include "tests/support/seed.h"

using namespace nightshift::kernels;
using nightshift::tests::coreset_distance;
using nightshift::tests::on_every_variant;
using nightshift::tests::random_rows;
using nightshift::tests::rows_of;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Seen {
    int missed = 0;     ///< pairs nearer than the row's limit that were not found
    int outside = 0;    ///< hits whose bounds do not hold the distance
    int needless = 0;   ///< hits whose bounds say that they cannot be nearer
    int strange = 0;    ///< hits of no row or no pick
    double widest = 0;  ///< from the least to the most, as a share of the longest |row|^2
};

/// The first rows are the picks.
class Look {
  public:
    Look(Rows<double> data, std::int64_t picks) : data_(data), picks_(picks), filter_(data) {
        REQUIRE(filter_.is_usable());
        for (std::int64_t p = 0; p < picks; ++p) filter_.take(data.row(p));
        const KnnCentre centre = find_centre(data);
        std::vector<double> centred(centre.at.size());
        for (std::int64_t r = 0; r < data.rows; ++r)
            longest_ = std::max(longest_, centred_row(data.row(r), centre, centred.data()));
    }

    std::int64_t panels() const { return (data_.rows + filter_.panel_rows() - 1) / filter_.panel_rows(); }

    /// Limits that are hard to tell: of each row a hair above its distance to a pick, which is another one in
    /// every round; or none.
    void panel(std::int64_t panel, std::int64_t round, bool has_limits) {
        const std::int64_t high = filter_.panel_rows(), first = panel * high;
        const std::int64_t count = std::min(high, data_.rows - first);
        std::vector<double> limits(static_cast<std::size_t>(high), 0.0);
        for (std::int64_t r = 0; r < count; ++r)
            limits[static_cast<std::size_t>(r)] =
                has_limits ? std::nextafter(squared(first + r, (round + r) % picks_), kInfinity) : kInfinity;
        std::vector<char> is_hit(static_cast<std::size_t>(high * picks_), 0);
        std::vector<CoresetHit> hits(kCoresetHitsMax);
        for (std::int64_t tile = 0; tile < picks_; tile += filter_.tile_picks()) {
            hits.resize(filter_.find(panel, tile, limits.data(), hits.data()));
            for (const CoresetHit& hit : hits) {
                // Beyond the last row nothing is found.
                const bool is_pair =
                    hit.row >= 0 && hit.row < count && hit.place >= tile && hit.place < picks_;
                seen.strange += !is_pair;
                if (!is_pair) continue;
                is_hit[static_cast<std::size_t>(hit.place * high + hit.row)] = 1;
                const double own = squared(first + hit.row, hit.place);
                seen.outside += !(hit.least <= own && own <= hit.most);
                seen.needless += hit.least > limits[static_cast<std::size_t>(hit.row)] + 1e-6 * longest_;
                seen.widest = std::max(seen.widest, (hit.most - hit.least) / longest_);
            }
            hits.resize(kCoresetHitsMax);
        }
        for (std::int64_t p = 0; p < picks_; ++p) {
            for (std::int64_t r = 0; r < count; ++r)
                seen.missed += squared(first + r, p) < limits[static_cast<std::size_t>(r)] &&
                               is_hit[static_cast<std::size_t>(p * high + r)] == 0;
        }
    }

    Seen seen;

  private:
    double squared(std::int64_t row, std::int64_t pick) const {
        return coreset_distance(data_.row(row), data_.row(pick), data_.columns);
    }

    Rows<double> data_;
    std::int64_t picks_;
    CoresetFilter filter_;
    double longest_ = 1e-30;
};

void check(const std::vector<double>& values, std::size_t columns) {
    const Rows<double> data = rows_of(values, columns);
    const std::int64_t picks = std::min<std::int64_t>(data.rows, 17);
    on_every_variant([&] {
        for (const bool has_limits : {false, true}) {
            CAPTURE(has_limits);
            Look look(data, picks);
            for (std::int64_t round = 0; round < (has_limits ? picks : 1); ++round) {
                for (std::int64_t p = 0; p < look.panels(); ++p) look.panel(p, round, has_limits);
            }
            const Seen& seen = look.seen;
            CHECK(seen.missed == 0);
            CHECK(seen.outside == 0);
            CHECK(seen.needless == 0);
            CHECK(seen.strange == 0);
            // Narrow enough to rule pairs out: both rows' parts, from least to most.
            const double moved = std::sqrt(static_cast<double>(columns)) / 64000;
            CHECK(seen.widest < 2 * 4.1 * (moved + 2e-6));
        }
    });
}

}  // namespace

TEST_CASE("coreset filter: what is nearer than its row's limit is found, within its bounds") {
    const std::uint64_t seed = nightshift::tests::seed();
    for (const std::size_t columns : {1, 2, 3, 17, 81, 4096}) {
        CAPTURE(columns);
        const std::size_t rows = columns > 100 ? 40 : 75;
        for (const double scale : {1.0, 1e14, 1e-9, 1e-18}) {
            CAPTURE(scale);
            check(random_rows(rows, columns, seed, scale), columns);
        }
        check(random_rows(rows, columns, seed, 1, 1e5), columns);
    }
}

TEST_CASE("coreset filter: rows that point the same way, as long as whole numbers allow") {
    for (const std::size_t columns : {1, 2, 5, 4096}) {
        CAPTURE(columns);
        std::vector<double> values;
        for (int row = 0; row < 40; ++row)
            values.insert(values.end(), columns, (row % 2 == 0 ? 1 : -1.001) * std::pow(1.3, row / 2));
        check(values, columns);
    }
}

TEST_CASE("coreset filter: rows at the centre, twice the same, and shorter than any factor") {
    std::vector<double> values;
    for (int row = 0; row < 60; ++row) {
        values.push_back(row % 3 == 0 ? 0.0 : std::pow(10.0, -14 - row % 7) * (row % 2 == 0 ? 1 : -1));
        values.push_back(row % 5 == 0 ? 0.0 : std::pow(10.0, -14 - row % 4) * (row % 4 < 2 ? 1 : -1));
    }
    check(values, 2);
    check(std::vector<double>(90, 0.0), 3);
}

TEST_CASE("coreset filter: forgets picks, and a place is taken again") {
    const auto values = random_rows(40, 5, nightshift::tests::seed());
    const Rows<double> data = rows_of(values, 5);
    on_every_variant([&] {
        CoresetFilter filter(data);
        const auto panel_rows = static_cast<std::size_t>(filter.panel_rows());
        const std::vector<double> limits(panel_rows, kInfinity);
        std::vector<CoresetHit> hits(kCoresetHitsMax);
        for (std::int64_t p = 0; p < 3; ++p) filter.take(data.row(p));
        CHECK(filter.find(0, 0, limits.data(), hits.data()) == 3 * panel_rows);
        filter.forget_picks();
        CHECK(filter.taken() == 0);
        CHECK(filter.find(0, 0, limits.data(), hits.data()) == 0);
        filter.take(data.row(7));
        CHECK(filter.find(0, 0, limits.data(), hits.data()) == panel_rows);
        const double squared = coreset_distance(data.row(1), data.row(7), 5);
        CHECK(hits[1].place == 0);
        CHECK(hits[1].least <= squared);
        CHECK(hits[1].most >= squared);
    });
}

TEST_CASE("coreset filter: pays for enough picks of rows that it can hold") {
    CHECK(CoresetFilter::pays(1000, 100, 16));
    CHECK_FALSE(CoresetFilter::pays(1000, 100, 15));
    // 12 bytes a row and 2 a value, of an even number of them.
    CHECK(CoresetFilter::pays((std::int64_t{256} << 20) / (12 + 2 * 82), 81, 1000));
    CHECK_FALSE(CoresetFilter::pays((std::int64_t{256} << 20) / (12 + 2 * 82) + 1, 81, 1000));
}

TEST_CASE("coreset filter: is used where it holds, and dropped where it tells too little") {
    const std::uint64_t seed = nightshift::tests::seed();
    const auto has_filter = [](const std::vector<double>& values, std::int64_t picks) {
        const Rows<double> data = rows_of(values, 4);
        CoresetRows rows(data, picks);
        const bool at_first = rows.has_filter();
        for (std::int64_t p = 0; p < std::min<std::int64_t>(picks, 10); ++p) {
            rows.take(p);
            rows.all_catch_up(1);
        }
        return std::pair{at_first, rows.has_filter()};
    };
    auto values = random_rows(500, 4, seed);
    CHECK(has_filter(values, 100) == std::pair{true, true});
    CHECK(has_filter(values, 15) == std::pair{false, false});
    values[77] = 1e15;
    CHECK(has_filter(values, 100) == std::pair{false, false});
    // Two heaps, so far from each other that distances within one are lost beside them.
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = std::sin(static_cast<double>(i)) + (i / 4 % 2 == 0 ? 1e4 : -1e4);
    CHECK(has_filter(values, 100) == std::pair{true, false});
}
