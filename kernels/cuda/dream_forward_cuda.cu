#include <algorithm>
#include <string>

#include "kernels/cpu/dream_checks.h"
#include "kernels/cuda/dream_device.cuh"
#include "kernels/dream_net.h"

namespace nightshift::kernels {
namespace {

using namespace cuda;

/// Rows of one launch: their values take some 650 MB at the widest usual net.
constexpr std::int64_t kRowsPerLaunch = 1 << 16;

/// Where a launch writes; nullptr = not wanted.
struct DeviceOutput {
    float *reconstruction, *latent, *probability, *score;
};

/// grid: one block for four rows. in rows [count, columns]. Scratch values [blocks, net.width].
__global__ void forward_rows(DreamDeviceNet net, const float* rows, std::int64_t count, float weight,
                             float4* scratch, DeviceOutput out) {
    const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * kDreamRows;
    float4* values = scratch + blockIdx.x * net.width;
    load_rows(net, rows, count, first, values);
    run_layers(net, 0, net.count, KeepAll{}, values);
    const DreamDeviceLayer code = net.layers[net.autoencoder / 2 - 1], last = net.layers[net.count - 1];
    const int thread = static_cast<int>(threadIdx.x);
    for (int q = 0; q < kDreamRows && first + q < count; ++q) {
        double squares = 0;
        for (int j = thread; j < net.columns; j += kDreamThreads) {
            const float given_back = of(values[net.columns + j])[q];
            const double error = static_cast<double>(of(values[j])[q] - given_back);
            squares += error * error;
            if (out.reconstruction != nullptr) out.reconstruction[(first + q) * net.columns + j] = given_back;
        }
        for (int j = thread; j < code.out && out.latent != nullptr; j += kDreamThreads)
            out.latent[(first + q) * code.out + j] = of(values[code.output + j])[q];
        squares = sum_of_block(squares);
        if (thread != 0) continue;
        const float probability = sigmoid(of(values[last.output])[q]);
        if (out.probability != nullptr) out.probability[first + q] = probability;
        if (out.score != nullptr) {
            const float error = static_cast<float>(squares / static_cast<double>(net.columns));
            out.score[first + q] = error * (1.0F + weight * probability);
        }
    }
}

/// Device memory for one output of a launch, and its way back.
class OutputBuffer {
  public:
    OutputBuffer(Backend& backend, std::span<float> host, std::int64_t width, std::int64_t rows)
        : host_(host), width_(width) {
        if (!host.empty()) buffer_ = {backend, static_cast<std::size_t>(rows * width), "dream.output"};
    }
    float* data() { return host_.empty() ? nullptr : buffer_.data(); }
    void to_host(std::int64_t first, std::int64_t rows) const {
        if (!host_.empty())
            buffer_.download(host_.subspan(static_cast<std::size_t>(first * width_),
                                           static_cast<std::size_t>(rows * width_)));
    }

  private:
    std::span<float> host_;
    std::int64_t width_;
    Buffer<float> buffer_;
};

}  // namespace

void dream_forward_cuda(Backend& backend, const DreamNetShape& shape, std::span<const float> parameters,
                        float weight, std::span<const float> rows, const DreamNetOutput& out) {
    const std::int64_t n = checked_rows(shape, parameters, rows, out), d = shape.columns;
    std::int64_t width = 0;
    const std::vector<DreamDeviceLayer> table = dream_device_layers(shape, width);
    const std::vector<float> turned = dream_turned(parameters, dream_turned_places(shape));
    if (n == 0) return;
    const Op op(backend, "dream_forward",
                std::to_string(n) + " rows of " + std::to_string(d) + ", " +
                    std::to_string(parameters.size()) + " parameters");
    const Buffer<DreamDeviceLayer> layers(backend, table, "dream.layers");
    const Buffer<float> own(backend, parameters, "dream.parameters");
    const Buffer<float> own_turned(backend, turned, "dream.parameters");
    const std::int64_t at_once = std::min(n, kRowsPerLaunch);
    Buffer<float4> scratch(backend, static_cast<std::size_t>(blocks_for(at_once, kDreamRows) * width),
                           "dream.values");
    Buffer<float> seen(backend, static_cast<std::size_t>(at_once * d), "dream.rows");
    OutputBuffer reconstruction(backend, out.reconstruction, d, at_once),
        latent(backend, out.latent, shape.latent, at_once), probability(backend, out.probability, 1, at_once),
        score(backend, out.score, 1, at_once);
    const DreamDeviceNet net = dream_device_net(shape, layers, width, own, own_turned);
    for (std::int64_t at = 0; at < n; at += at_once) {
        const std::int64_t count = std::min(at_once, n - at);
        seen.upload(rows.subspan(static_cast<std::size_t>(at * d), static_cast<std::size_t>(count * d)));
        const DeviceOutput wanted{reconstruction.data(), latent.data(), probability.data(), score.data()};
        launch(op, "forward_rows", blocks_for(count, kDreamRows), kDreamThreads, kDreamSharedBytes,
               forward_rows, net, seen.data(), count, weight, scratch.data(), wanted);
        for (const OutputBuffer* each : {&reconstruction, &latent, &probability, &score})
            each->to_host(at, count);
    }
}

}  // namespace nightshift::kernels
