#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/cpu/letterbox_plan.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/tiles.cuh"

namespace nightshift::kernels {
namespace {

/// Rows first..first + rows of the output, and the rows of the image that they look at.
struct Band {
    std::int64_t first, rows, source_first, source_rows;
};

/// What the kernel reads besides: sizes of the whole, and each channel's source and border.
struct Frame {
    std::int64_t channels, out_width, in_width, left, top, width, height;
    std::int64_t source[kChannelsMax];
    float border[kChannelsMax];
    PixelScale pixels;
};

struct Taps {
    const std::int32_t *low, *high;
    const float* weight;
};

/// in  levels [band.source_rows, in_width, channels]   out [channels, band.rows, out_width]
/// One thread a value; neighbouring threads write neighbours and read pixels that lie close together.
__global__ void resize(Frame frame, Band band, Taps columns, Taps rows, const std::uint8_t* levels,
                       float* out) {
    const std::int64_t plane = band.rows * frame.out_width;
    for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
         i < frame.channels * plane; i += static_cast<std::int64_t>(gridDim.x) * blockDim.x) {
        const std::int64_t c = i / plane;
        const std::int64_t x = i % frame.out_width - frame.left;
        const std::int64_t y = i % plane / frame.out_width + band.first - frame.top;
        if (x < 0 || x >= frame.width || y < 0 || y >= frame.height) {
            out[i] = frame.border[c];
            continue;
        }
        const std::int64_t pitch = frame.in_width * frame.channels;
        const std::uint8_t* upper = levels + (rows.low[y] - band.source_first) * pitch + frame.source[c];
        const std::uint8_t* lower = levels + (rows.high[y] - band.source_first) * pitch + frame.source[c];
        const std::int64_t low = columns.low[x] * frame.channels, high = columns.high[x] * frame.channels;
        const float a = upper[low], b = upper[high], d = lower[low], e = lower[high];
        const float top = a + columns.weight[x] * (b - a);
        const float bottom = d + columns.weight[x] * (e - d);
        out[i] = normalised(top + rows.weight[y] * (bottom - top), frame.pixels.full, frame.pixels.mean[c],
                            frame.pixels.deviation[c]);
    }
}

/// AxisTaps on the device.
class DeviceTaps {
  public:
    DeviceTaps(Backend& backend, const AxisTaps& taps)
        : low_(backend, std::span<const std::int32_t>(taps.low), "letterbox.taps"),
          high_(backend, std::span<const std::int32_t>(taps.high), "letterbox.taps"),
          weight_(backend, std::span<const float>(taps.weight), "letterbox.taps") {}
    Taps get() const { return {low_.data(), high_.data(), weight_.data()}; }

  private:
    Buffer<std::int32_t> low_, high_;
    Buffer<float> weight_;
};

Frame frame_of(const LetterboxPlan& plan, const LetterboxParams& params) {
    const LetterboxPlace& place = plan.place;
    Frame frame{plan.channels,
                plan.out_width,
                place.in_width,
                place.left,
                place.top,
                place.width,
                place.height,
                {},
                {},
                params.pixels};
    for (std::int64_t c = 0; c < plan.channels; ++c) {
        frame.source[c] = plan.source(c);
        frame.border[c] =
            normalised(params.pad, params.pixels.full, params.pixels.mean[static_cast<std::size_t>(c)],
                       params.pixels.deviation[static_cast<std::size_t>(c)]);
    }
    return frame;
}

Band band_of(const LetterboxPlan& plan, std::int64_t first, std::int64_t rows) {
    const std::int64_t from = std::max<std::int64_t>(first - plan.place.top, 0);
    const std::int64_t to = std::min(first + rows - plan.place.top, plan.place.height);
    if (from >= to) return {first, rows, 0, 0};
    const std::int64_t source = plan.rows.low[static_cast<std::size_t>(from)];
    return {first, rows, source, plan.rows.high[static_cast<std::size_t>(to - 1)] + 1 - source};
}

/// Rows of the output that are made at once: each needs a few of the image, and the band two or three more.
std::int64_t rows_together(const Backend& backend, const LetterboxPlan& plan) {
    const LetterboxPlace& place = plan.place;
    const auto source_row = static_cast<std::size_t>(place.in_width * plan.channels);
    const auto sources = static_cast<std::size_t>((place.in_height + place.height - 1) / place.height);
    const std::size_t out_row = static_cast<std::size_t>(plan.out_width * plan.channels) * sizeof(float);
    return cuda::rows_of_tile(backend, 3 * source_row, sources * source_row + out_row, plan.out_height, 2);
}

}  // namespace

LetterboxPlace letterbox_cuda(Backend& backend, const TensorView<const std::uint8_t, 3>& in,
                              const TensorView<float, 3>& out, const LetterboxParams& params) {
    const LetterboxPlan plan = letterbox_plan(in, out, params);
    const cuda::Op op(backend, "letterbox",
                      "in [" + std::to_string(in.shape[0]) + ", " + std::to_string(in.shape[1]) + ", " +
                          std::to_string(plan.channels) + "], out [" + std::to_string(plan.out_height) +
                          ", " + std::to_string(plan.out_width) + "]");
    const DeviceTaps columns(backend, plan.columns), rows(backend, plan.rows);
    const Frame frame = frame_of(plan, params);
    const std::int64_t together = rows_together(backend, plan);
    std::vector<Band> bands;
    std::int64_t source_rows = 0;
    for (std::int64_t y = 0; y < plan.out_height; y += together) {
        bands.push_back(band_of(plan, y, std::min(together, plan.out_height - y)));
        source_rows = std::max(source_rows, bands.back().source_rows);
    }
    Buffer<std::uint8_t> levels(backend, static_cast<std::size_t>(source_rows * in.shape[1] * plan.channels),
                                "letterbox.image");
    Buffer<float> made(backend, static_cast<std::size_t>(together * plan.out_width * plan.channels),
                       "letterbox.result");
    for (const Band& band : bands) {
        cuda::upload_view(sliced(in, 0, band.source_first, band.source_rows), levels);
        const std::int64_t count = plan.channels * band.rows * plan.out_width;
        cuda::launch(op, "resize", cuda::free_blocks(count), cuda::kFreeThreads, 0, resize, frame, band,
                     columns.get(), rows.get(), levels.data(), made.data());
        cuda::download_view(made, sliced(out, 1, band.first, band.rows));
    }
    return plan.place;
}

}  // namespace nightshift::kernels
