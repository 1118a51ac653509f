#include "kernels/series_changes.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "kernels/cpu/each_variant.h"
#include "kernels/cpu/series_batch.h"

namespace nightshift::kernels {

namespace {

/// Longer series are searched one by one: lanes of them would leave the cache.
constexpr std::size_t kLaneSamplesMax = 2048;
constexpr std::size_t kLanesMax = 16, kDoublesMax = 8;

#define NIGHTSHIFT_BODY "kernels/cpu/series_changes.inc"
#include "kernels/cpu/each_variant.inc"

using PickPoints = std::size_t (*)(const double*, std::size_t, std::size_t, double, std::size_t,
                                   std::int32_t*);

/// Up to so many points that lie `apart`.
std::size_t points_max(std::size_t samples, std::size_t apart) {
    return samples / apart + 1;
}

void take_points(FoundPoints& found, std::size_t series, std::span<const std::int64_t> points) {
    std::int32_t* const room = found.room(points.size());
    std::transform(points.begin(), points.end(), room,
                   [](std::int64_t point) { return static_cast<std::int32_t>(point); });
    found.take(series, points.size());
}

/// One series by its own function.
void take_one(FoundPoints& found, const SeriesBatch& batch, std::size_t series, const ScoredChanges& changes,
              std::span<double> scores) {
    if (!scores.empty()) {
        double* const own = scores.data() + batch.first_of(series);
        std::fill_n(own, batch.samples_of(series), 0.0);
        std::copy(changes.scores.begin(), changes.scores.end(), own);
    }
    take_points(found, series, changes.change_points);
}

/// CUSUM of one stretch of series, by one thread.
class CusumStretch {
  public:
    CusumStretch(const SeriesBatch& batch, const CusumOptions& options, std::span<double> scores)
        : batch_(batch),
          options_(options),
          scores_(scores),
          plan_(cusum_plan(options)),
          apart_(std::max<std::size_t>(plan_.min_size, 1)) {}

    void run(std::size_t first, std::size_t end, BatchChanges& out) {
        found_.begin(first, end);
        in_groups(
            batch_, first, end, lanes_, kLaneSamplesMax,
            [this](std::span<const std::size_t> series) { beside_each_other(series); },
            [this](std::size_t series) {
                take_one(found_, batch_, series, cusum_compat(batch_[series], options_), scores_);
            });
        found_.finish(out);
    }

  private:
    void beside_each_other(std::span<const std::size_t> series) {
        const std::size_t n = batch_.samples_of(series[0]);
        turned_.resize(std::max(turned_.size(), n * lanes_));
        spare_.resize(std::max(spare_.size(), n * lanes_));
        std::array<const double*, kLanesMax> rows;
        std::array<double*, kLanesMax> scores;
        for (std::size_t lane = 0; lane < lanes_; ++lane) {
            const bool is_spare = lane >= series.size();
            const std::size_t at = batch_.first_of(series[is_spare ? 0 : lane]);
            rows[lane] = batch_.values.data() + at;
            scores[lane] = is_spare || scores_.empty() ? spare_.data() + lane * n : scores_.data() + at;
        }
        if (n < 2) {
            for (std::size_t lane = 0; lane < series.size(); ++lane) {
                std::fill_n(scores[lane], n, 0.0);
                found_.take(series[lane], 0);
            }
            return;
        }
        cusum_lanes_(rows.data(), n, plan_, turned_.data(), scores.data());
        for (std::size_t lane = 0; lane < series.size(); ++lane) {
            std::int32_t* const points = found_.room(points_max(n, apart_));
            found_.take(series[lane], plan_.min_size < n ? pick_points_(scores[lane], plan_.min_size, n,
                                                                        plan_.threshold, apart_, points)
                                                         : 0);
        }
    }

    const SeriesBatch& batch_;
    const CusumOptions& options_;
    std::span<double> scores_;
    CusumPlan plan_;
    std::size_t apart_;
    CpuVariant variant_ = cpu_variant();
    std::size_t lanes_ = NIGHTSHIFT_VARIANT_OF(series_lanes, variant_)();
    void (*cusum_lanes_)(const double* const*, std::size_t, const CusumPlan&, double*,
                         double* const*) = NIGHTSHIFT_VARIANT_OF(cusum_lanes, variant_);
    PickPoints pick_points_ = NIGHTSHIFT_VARIANT_OF(pick_points, variant_);
    FoundPoints found_;
    std::vector<double> turned_, spare_;
};

/// Windows of one stretch of series, by one thread.
class WindowStretch {
  public:
    WindowStretch(const SeriesBatch& batch, const WindowOptions& options, std::span<double> scores)
        : batch_(batch),
          options_(options),
          scores_(scores),
          apart_(static_cast<std::size_t>(std::max(options.min_size, 1))) {}

    void run(std::size_t first, std::size_t end, BatchChanges& out) {
        found_.begin(first, end);
        for (std::size_t series = first; series < end; ++series) {
            // Wider steps leave out most windows, so there is nothing to share.
            if (options_.step_size > 1)
                take_one(found_, batch_, series, window_compat(batch_[series], options_), scores_);
            else
                search(series);
        }
        found_.finish(out);
    }

  private:
    void search(std::size_t series) {
        const std::span<const double> x = batch_[series];
        const std::size_t n = x.size(), w = static_cast<std::size_t>(options_.window_size);
        const bool is_searched = n >= kWindowSamplesMin && n > 2 * w;
        if (is_searched) {
            const std::size_t room = n + 2 * kDoublesMax;
            for (auto* scratch : {&x_, &means_, &deviations_, &own_scores_})
                scratch->resize(std::max(scratch->size(), room));
            std::copy(x.begin(), x.end(), x_.begin());
            window_scores_(x_.data(), n, w, means_.data(), deviations_.data(), own_scores_.data());
            std::fill_n(own_scores_.begin() + static_cast<std::ptrdiff_t>(n - w), w, 0.0);
        }
        if (!scores_.empty()) {
            double* const out = scores_.data() + batch_.first_of(series);
            if (is_searched)
                std::copy_n(own_scores_.begin(), n, out);
            else
                std::fill_n(out, n, 0.0);
        }
        std::int32_t* const points = found_.room(points_max(n, apart_));
        found_.take(series, is_searched ? pick_points_(own_scores_.data(), w, n - w, options_.threshold_ratio,
                                                       apart_, points)
                                        : 0);
    }

    const SeriesBatch& batch_;
    const WindowOptions& options_;
    std::span<double> scores_;
    std::size_t apart_;
    CpuVariant variant_ = cpu_variant();
    void (*window_scores_)(const double*, std::size_t, std::size_t, double*, double*,
                           double*) = NIGHTSHIFT_VARIANT_OF(window_scores, variant_);
    PickPoints pick_points_ = NIGHTSHIFT_VARIANT_OF(pick_points, variant_);
    FoundPoints found_;
    std::vector<double> x_, means_, deviations_, own_scores_;
};

}  // namespace

BatchChanges cusum_batch_cpu(const SeriesBatch& batch, const CusumOptions& options, std::span<double> scores,
                             int threads) {
    check_batch(batch, scores);
    check_options(options);
    return in_stretches(batch.series, threads, [&] { return CusumStretch(batch, options, scores); });
}

BatchChanges window_batch_cpu(const SeriesBatch& batch, const WindowOptions& options,
                              std::span<double> scores, int threads) {
    check_batch(batch, scores);
    check_options(options);
    return in_stretches(batch.series, threads, [&] { return WindowStretch(batch, options, scores); });
}

}  // namespace nightshift::kernels
