#include <algorithm>
#include <array>
#include <atomic>
#include <limits>

#include "kernels/cpu/each_variant.h"
#include "kernels/cpu/series_batch.h"
#include "kernels/series_changes.h"

namespace nightshift::kernels {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
/// Lanes of longer series share too few candidates, and leave the cache.
constexpr std::size_t kLaneSamplesMax = 512;
constexpr std::size_t kLanesMax = 16;

struct PeltShape {
    std::size_t samples, shortest, jump;
    std::size_t places;  ///< where segments may end: each jump-th sample, and the end
    double pen;
};

/// Arrays [places, lanes] and [candidates, lanes]; there are no more candidates than places.
struct PeltScratch {
    double *turned, *sums, *squares, *best, *from;
    double* candidate;  ///< best cost before it, or infinity where a lane does not have it
    double *total, *until;
    std::uint32_t* start;  ///< the candidate's place
};

#define NIGHTSHIFT_BODY "kernels/cpu/series_pelt.inc"
#include "kernels/cpu/each_variant.inc"

/// PELT of one stretch of series, by one thread.
class PeltStretch {
  public:
    PeltStretch(const SeriesBatch& batch, Pelt pelt, const PeltOptions& options, std::span<double> costs,
                std::atomic<bool>& is_over)
        : batch_(batch),
          pelt_(pelt),
          options_(options),
          costs_(costs),
          is_over_(is_over),
          shortest_(static_cast<std::size_t>(std::max(options.min_size, 1))),
          jump_(pelt == Pelt::exact ? 1 : static_cast<std::size_t>(std::max(options.jump, 1))) {
        one_ = options;
        one_.is_stopped = [this] { return is_stopped(); };
    }
    PeltStretch(const PeltStretch&) = delete;
    PeltStretch& operator=(const PeltStretch&) = delete;

    void run(std::size_t first, std::size_t end, BatchChanges& out) {
        found_.begin(first, end);
        in_groups(
            batch_, first, end, lanes_, kLaneSamplesMax,
            [this](std::span<const std::size_t> series) { beside_each_other(series); },
            [this](std::size_t series) { alone(series); });
        found_.finish(out);
    }

  private:
    bool is_stopped() {
        if (!is_over_ && options_.is_stopped && options_.is_stopped()) is_over_ = true;
        return is_over_;
    }

    void alone(std::size_t series) {
        if (is_over_) return;
        const Segmentation found =
            pelt_ == Pelt::exact ? pelt_exact(batch_[series], one_) : pelt_compat(batch_[series], one_);
        costs_[series] = found.cost;
        std::int32_t* const points = found_.room(found.change_points.size());
        std::transform(found.change_points.begin(), found.change_points.end(), points,
                       [](std::int64_t point) { return static_cast<std::int32_t>(point); });
        found_.take(series, found.change_points.size());
    }

    PeltScratch scratch_for(std::size_t samples, std::size_t places) {
        const std::size_t rows = places * lanes_;
        memory_.resize(std::max(memory_.size(), samples * lanes_ + 7 * rows));
        starts_.resize(std::max(starts_.size(), places));
        double* const rest = memory_.data() + samples * lanes_;
        return {memory_.data(),  rest,
                rest + rows,     rest + 2 * rows,
                rest + 3 * rows, rest + 4 * rows,
                rest + 5 * rows, rest + 6 * rows,
                starts_.data()};
    }

    void beside_each_other(std::span<const std::size_t> series) {
        if (is_stopped()) return;
        const std::size_t n = batch_.samples_of(series[0]);
        if (n < (pelt_ == Pelt::exact ? shortest_ : 2 * shortest_) || n == 0) {
            for (const std::size_t each : series) costs_[each] = std::numeric_limits<double>::quiet_NaN();
            return;
        }
        const PeltShape shape{n, shortest_, jump_, (n + jump_ - 1) / jump_ + 1, options_.pen};
        const PeltScratch scratch = scratch_for(n, shape.places);
        std::array<const double*, kLanesMax> rows;
        for (std::size_t lane = 0; lane < lanes_; ++lane)
            rows[lane] = batch_[series[lane < series.size() ? lane : 0]].data();
        search_(rows.data(), shape, scratch);
        for (std::size_t lane = 0; lane < series.size(); ++lane)
            walk_back(series[lane], lane, shape, scratch);
    }

    void walk_back(std::size_t series, std::size_t lane, const PeltShape& shape, const PeltScratch& scratch) {
        const auto from = [&](std::size_t place) {
            return static_cast<std::size_t>(scratch.from[place * lanes_ + lane]);
        };
        costs_[series] = scratch.best[(shape.places - 1) * lanes_ + lane];
        std::int32_t* const points = found_.room(shape.places);
        std::size_t count = 0;
        for (std::size_t place = from(shape.places - 1); place > 0; place = from(place))
            points[count++] = static_cast<std::int32_t>(place * shape.jump);
        std::reverse(points, points + count);
        found_.take(series, count);
    }

    const SeriesBatch& batch_;
    Pelt pelt_;
    const PeltOptions& options_;
    PeltOptions one_;
    std::span<double> costs_;
    std::atomic<bool>& is_over_;
    std::size_t shortest_, jump_;
    CpuVariant variant_ = cpu_variant();
    std::size_t lanes_ = NIGHTSHIFT_VARIANT_OF(pelt_lanes, variant_)();
    void (*search_)(const double* const*, const PeltShape&,
                    const PeltScratch&) = pelt_ == Pelt::exact
                                              ? NIGHTSHIFT_VARIANT_OF(pelt_exact_lanes, variant_)
                                              : NIGHTSHIFT_VARIANT_OF(pelt_compat_lanes, variant_);
    FoundPoints found_;
    std::vector<double> memory_;
    std::vector<std::uint32_t> starts_;
};

}  // namespace

BatchSegmentations pelt_batch_cpu(const SeriesBatch& batch, Pelt pelt, const PeltOptions& options,
                                  int threads) {
    check_batch(batch, {});
    BatchSegmentations out;
    out.costs.resize(batch.series);
    std::atomic<bool> is_over{false};
    out.changes = in_stretches(batch.series, threads,
                               [&] { return PeltStretch(batch, pelt, options, out.costs, is_over); });
    if (is_over) return {};
    return out;
}

}  // namespace nightshift::kernels
