#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "kernels/buffer.h"
#include "kernels/cpu/series_batch.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/scan.cuh"

namespace nightshift::kernels::cuda {

constexpr int kSeriesThreads = 128;

/// A SeriesBatch as kernels take it. offsets: nullptr where each series has `samples`.
struct DeviceSeries {
    const double* values;
    const std::uint64_t* offsets;
    std::int64_t series, samples;

    __device__ std::int64_t first_of(std::int64_t i) const {
        return offsets == nullptr ? i * samples : static_cast<std::int64_t>(offsets[i]);
    }
    __device__ std::int64_t samples_of(std::int64_t i) const {
        return offsets == nullptr ? samples : static_cast<std::int64_t>(offsets[i + 1] - offsets[i]);
    }
};

/// std::max, that of numbers that are none, too.
__device__ inline double larger(double a, double b) {
    return a < b ? b : a;
}

/// One warp a series. Puts the points that each series has in its own place of `found` [values] one behind
/// the other; offsets [series + 1].
template <typename T>
__global__ void pack_points(DeviceSeries batch, const T* found, const std::uint64_t* offsets, T* points) {
    const std::int64_t s = (static_cast<std::int64_t>(blockIdx.x) * kSeriesThreads + threadIdx.x) / kWarp;
    if (s >= batch.series) return;
    const T* const from = found + batch.first_of(s);
    const auto count = static_cast<std::int64_t>(offsets[s + 1] - offsets[s]);
    for (std::int64_t k = threadIdx.x % kWarp; k < count; k += kWarp)
        points[offsets[s] + static_cast<std::uint64_t>(k)] = from[k];
}

/// A batch on the device, and the change points that kernels find there.
class SeriesOnDevice {
  public:
    SeriesOnDevice(const Op& op, const SeriesBatch& batch)
        : op_(op),
          values_(op.backend(), batch.values, "series.values"),
          offsets_(op.backend(), words_of(batch.offsets), "series.offsets"),
          found_(op.backend(), batch.values.size(), "series.found"),
          counts_(op.backend(), batch.series + 1, "series.counts"),
          view_{values_.data(), batch.offsets.empty() ? nullptr : offsets_.data(),
                static_cast<std::int64_t>(batch.series), static_cast<std::int64_t>(batch.samples)} {
        op.fill(counts_.data(), 0, counts_.size() * sizeof(std::uint64_t));
    }

    const DeviceSeries& view() const { return view_; }
    /// [values]: the points of a series from its own first value on.
    std::int32_t* found() { return found_.data(); }
    /// [series]: how many it has; 0 at first.
    std::uint64_t* counts() { return counts_.data(); }

    BatchChanges take() {
        scan(op_, counts_.data(), static_cast<std::int64_t>(counts_.size()));
        const std::vector<std::uint64_t> offsets = counts_.to_host();
        BatchChanges out;
        out.offsets.assign(offsets.begin(), offsets.end());
        out.points.resize(out.offsets.back());
        if (out.points.empty()) return out;
        Buffer<std::int32_t> points(op_.backend(), out.points.size(), "series.points");
        launch(op_, "pack_points", blocks_for(view_.series, kSeriesThreads / kWarp), kSeriesThreads, 0,
               pack_points<std::int32_t>, view_, found_.data(), counts_.data(), points.data());
        points.download(out.points);
        return out;
    }

  private:
    static std::span<const std::uint64_t> words_of(std::span<const std::size_t> offsets) {
        static_assert(sizeof(std::size_t) == sizeof(std::uint64_t));
        return {reinterpret_cast<const std::uint64_t*>(offsets.data()), offsets.size()};
    }

    const Op& op_;
    Buffer<double> values_;
    Buffer<std::uint64_t> offsets_;
    Buffer<std::int32_t> found_;
    Buffer<std::uint64_t> counts_;
    DeviceSeries view_;
};

/// "100 series, 6000 values", for errors.
inline std::string shapes_of(const SeriesBatch& batch) {
    return std::to_string(batch.series) + " series, " + std::to_string(batch.values.size()) + " values";
}

}  // namespace nightshift::kernels::cuda
