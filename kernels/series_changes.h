#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/change_points.h"

/// Change points of many series at once. Each series has the result that its function of change_points.h
/// gives, with equal bits: on every CPU variant, with any number of threads, and on CUDA. A score or cost
/// that is no number is one there, too, if not with the same sign. A NaN or infinity reaches its own series
/// only, and means there what it means to that function. Source: own derivation.
///
/// All functions throw std::invalid_argument that names the series or option where the batch does not fit
/// together, has more than kBatchMax series or one of more samples, or where an option is refused by the
/// function of one series. `scores`, where not empty, is [values], 0 where none was computed.
/// `*_cpu`: any thread; has `threads` threads of its own while it runs. `*_cuda`: DeviceError; OverBudget
/// where the backend's budget does not hold the batch (see each): give it a part of the series then.
namespace nightshift::kernels {

class Backend;

inline constexpr std::size_t kBatchMax = 0x7fff'ffff;

/// Many series in one array: either `samples` values each, or series i from offsets[i] to offsets[i + 1].
struct SeriesBatch {
    std::span<const double> values;
    std::size_t series = 0;
    std::size_t samples = 0;               ///< of each, where offsets is empty
    std::span<const std::size_t> offsets;  ///< [series + 1], from 0, never falling, to values.size()

    std::size_t first_of(std::size_t i) const { return offsets.empty() ? i * samples : offsets[i]; }
    std::size_t samples_of(std::size_t i) const {
        return offsets.empty() ? samples : offsets[i + 1] - offsets[i];
    }
    std::span<const double> operator[](std::size_t i) const {
        return values.subspan(first_of(i), samples_of(i));
    }
};

/// values [series, samples].
SeriesBatch equal_series(std::span<const double> values, std::size_t series, std::size_t samples);
/// offsets [series + 1]; has to live as long as the batch.
SeriesBatch ragged_series(std::span<const double> values, std::span<const std::size_t> offsets);

/// Change points of all series in one array; of each they rise, counted from its own first sample.
struct BatchChanges {
    std::vector<std::size_t> offsets;  ///< [series + 1] into points
    std::vector<std::int32_t> points;

    std::span<const std::int32_t> operator[](std::size_t i) const {
        return std::span(points).subspan(offsets[i], offsets[i + 1] - offsets[i]);
    }
};

struct BatchSegmentations {
    BatchChanges changes;
    std::vector<double> costs;  ///< [series]; NaN for a series too short
};

/// Without a target or sensitivity each series has its own. CUDA: 12 bytes a value, 8 more with scores, up to
/// 4 more for the points; 16 a series.
BatchChanges cusum_batch_cpu(const SeriesBatch& batch, const CusumOptions& options, std::span<double> scores,
                             int threads);
BatchChanges cusum_batch_cuda(Backend& backend, const SeriesBatch& batch, const CusumOptions& options,
                              std::span<double> scores);
BatchChanges cusum_batch(Backend& backend, const SeriesBatch& batch, const CusumOptions& options,
                         std::span<double> scores);

/// CUDA: as above.
BatchChanges window_batch_cpu(const SeriesBatch& batch, const WindowOptions& options,
                              std::span<double> scores, int threads);
BatchChanges window_batch_cuda(Backend& backend, const SeriesBatch& batch, const WindowOptions& options,
                               std::span<double> scores);
BatchChanges window_batch(Backend& backend, const SeriesBatch& batch, const WindowOptions& options,
                          std::span<double> scores);

/// Which function of one series.
enum class Pelt { compat, exact };

/// is_stopped is polled from any of the threads; once it says so there are neither change points nor costs,
/// nor offsets. CUDA: as above without scores, and up to 256 MiB for the series at hand, or 176 bytes a place
/// where a segment of the longest may end, if that is more; polled between launches.
BatchSegmentations pelt_batch_cpu(const SeriesBatch& batch, Pelt pelt, const PeltOptions& options,
                                  int threads);
BatchSegmentations pelt_batch_cuda(Backend& backend, const SeriesBatch& batch, Pelt pelt,
                                   const PeltOptions& options);
BatchSegmentations pelt_batch(Backend& backend, const SeriesBatch& batch, Pelt pelt,
                              const PeltOptions& options);

}  // namespace nightshift::kernels
