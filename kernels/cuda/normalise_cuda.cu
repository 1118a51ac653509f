#include <algorithm>
#include <string>

#include "kernels/cpu/normalise_checks.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/tiles.cuh"

namespace nightshift::kernels {
namespace {

/// in [rows, columns, channels] where it is interleaved, else [channels, rows, columns]
/// out [channels, rows, columns]. One thread a value.
template <typename T>
__global__ void normalise_values(PixelScale scale, std::int64_t channels, std::int64_t plane,
                                 bool is_interleaved, const T* in, float* out) {
    for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
         i < channels * plane; i += static_cast<std::int64_t>(gridDim.x) * blockDim.x) {
        const std::int64_t c = i / plane;
        const auto value = static_cast<float>(in[is_interleaved ? i % plane * channels + c : i]);
        out[i] = normalised(value, scale.full, scale.mean[c], scale.deviation[c]);
    }
}

/// row_axis: that of the input's rows, 0 where the channels come last.
template <typename T>
void normalise_on(Backend& backend, const TensorView<const T, 3>& in, std::size_t row_axis,
                  const TensorView<float, 3>& out, const PixelScale& scale) {
    check_normalise(in, out, scale);
    const std::int64_t channels = out.shape[0], height = out.shape[1], width = out.shape[2];
    const cuda::Op op(backend, "normalise",
                      "out [" + std::to_string(channels) + ", " + std::to_string(height) + ", " +
                          std::to_string(width) + "]");
    const auto row_values = static_cast<std::size_t>(channels * width);
    const std::int64_t together =
        cuda::rows_of_tile(backend, 0, row_values * (sizeof(T) + sizeof(float)), height, 2);
    Buffer<T> given(backend, static_cast<std::size_t>(together) * row_values, "normalise.image");
    Buffer<float> made(backend, given.size(), "normalise.result");
    for (std::int64_t y = 0; y < height; y += together) {
        const std::int64_t rows = std::min(together, height - y);
        cuda::upload_view(sliced(in, row_axis, y, rows), given);
        cuda::launch(op, "normalise_values", cuda::free_blocks(channels * rows * width), cuda::kFreeThreads,
                     0, normalise_values<T>, scale, channels, rows * width, row_axis == 0, given.data(),
                     made.data());
        cuda::download_view(made, sliced(out, 1, y, rows));
    }
}

}  // namespace

void normalise_cuda(Backend& backend, const TensorView<const std::uint8_t, 3>& in,
                    const TensorView<float, 3>& out, const PixelScale& scale) {
    normalise_on(backend, in, 0, out, scale);
}

void normalise_cuda(Backend& backend, const TensorView<const float, 3>& in, const TensorView<float, 3>& out,
                    const PixelScale& scale) {
    normalise_on(backend, in, 1, out, scale);
}

}  // namespace nightshift::kernels
