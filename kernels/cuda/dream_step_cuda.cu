#include "kernels/dream_step.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>

#include "kernels/cpu/dream_checks.h"
#include "kernels/cpu/host_dream_step.h"
#include "kernels/cuda/dream_device.cuh"

namespace nightshift::kernels {
namespace {

using namespace cuda;

/// Rows that go through the layers at once; larger batches take several passes.
constexpr std::int64_t kRowsPerPass = 1 << 16;
/// Parts that a pass's rows are split into for the gradients, at most, and rows of a part, at least.
constexpr std::int64_t kPartsMax = 64;
constexpr std::int64_t kPartRows = 256;
/// Side of a tile of one layer's gradient, and rows taken up at once.
constexpr int kTile = 32;

/// What a pass learns from; arrays of all its rows on the device.
struct DeviceBatch {
    const float *clean, *anomalous, *labels, *keep;
    std::int64_t rows;
    double batch_rows;  ///< of all passes: what means are taken over
    double discriminator_weight;
};

/// slope[j] = 0 where the value was not above 0, else times its dropout factor.
__device__ void pass_back(const DreamDeviceLayer& layer, const DeviceBatch& batch, std::int64_t first, int o,
                          const float4& value, float4& slope) {
    if (!layer.is_hidden) return;
    const float4 factor = keep_of(layer, batch.keep, batch.rows, first, o);
    for (int q = 0; q < kDreamRows; ++q)
        of(slope)[q] = of(value)[q] > 0 ? of(slope)[q] * of(factor)[q] : 0.0F;
}

/// Thread 0: cross entropy of the block's rows, and its derivative by the logits.
__device__ double cross_entropy(const DeviceBatch& batch, std::int64_t first, const float4& logits,
                                float4& slope) {
    const float share = static_cast<float>(batch.discriminator_weight) / static_cast<float>(batch.batch_rows);
    double sum = 0;
    slope = make_float4(0, 0, 0, 0);
    for (int q = 0; q < kDreamRows && first + q < batch.rows; ++q) {
        const float label = batch.labels[first + q], probability = sigmoid(of(logits)[q]);
        const double wide = static_cast<double>(probability);
        sum -= fmax(log(label > 0.5F ? wide : 1 - wide), kDreamLogMin);
        of(slope)[q] = share * (probability - label);
    }
    return sum;
}

/// grid: one block for four rows. Forward, losses [blocks, 2] (sums of squares and of cross entropy), and
/// the derivatives by every layer's output before its ReLU, laid out like the values.
__global__ void learn_rows(DreamDeviceNet net, DeviceBatch batch, float4* scratch, float4* slopes_of_all,
                           double* losses) {
    const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * kDreamRows;
    float4* values = scratch + blockIdx.x * net.width;
    float4* slopes = slopes_of_all + blockIdx.x * net.width;
    load_rows(net, batch.anomalous, batch.rows, first, values);
    run_layers(net, 0, net.count, batch.keep, batch.rows, first, values);
    const int columns = net.columns;
    if (threadIdx.x == 0) {
        const std::int64_t logit = net.layers[net.count - 1].output;
        losses[2 * blockIdx.x + 1] = cross_entropy(batch, first, values[logit], slopes[logit]);
    }
    __syncthreads();
    const float share = 2.0F / static_cast<float>(batch.batch_rows * columns);
    double squares = 0;
    for (int l = net.count - 1; l > 0; --l) {
        const DreamDeviceLayer layer = net.layers[l], before = net.layers[l - 1];
        const float4* by_output = slopes + layer.output;
        if (l != net.autoencoder) {
            multiply_block(net.parameters + layer.weight, layer.in, layer.out, layer.in, by_output,
                           [&](int i, float4 sum) {
                               pass_back(before, batch, first, i, values[before.output + i], sum);
                               slopes[before.output + i] = sum;
                           });
            continue;
        }
        // Of what the discriminator sees, only the reconstruction passes anything back.
        multiply_block(net.parameters + layer.weight + columns, layer.in, layer.out, columns, by_output,
                       [&](int j, float4 sum) {
                           const float4 given_back = values[columns + j];
                           for (int q = 0; q < kDreamRows; ++q) {
                               const std::int64_t row = first + q;
                               float error = 0;
                               if (row < batch.rows)
                                   error = of(given_back)[q] - batch.clean[row * columns + j];
                               squares += static_cast<double>(error) * static_cast<double>(error);
                               of(sum)[q] += share * error;
                           }
                           slopes[columns + j] = sum;
                       });
    }
    squares = sum_of_block(squares);
    if (threadIdx.x == 0) losses[2 * blockIdx.x] = squares;
}

/// A tile of one layer's gradient; column `in` of a layer is its bias.
struct GradientTile {
    int layer, out, in;
};

/// grid (tiles, parts), 16 x 16 threads. partial [parts, parameters]; a part's blocks of four rows go in
/// order.
__global__ void gradient_tiles(DreamDeviceNet net, const GradientTile* tiles, const float4* values,
                               const float4* slopes, std::int64_t blocks, std::int64_t blocks_per_part,
                               std::int64_t parameters, bool adds, float* partial) {
    __shared__ float by_output[kTile][kTile + 1];  // [row, output]
    __shared__ float seen[kTile][kTile + 1];       // [row, input]
    const GradientTile tile = tiles[blockIdx.x];
    const DreamDeviceLayer layer = net.layers[tile.layer];
    const int thread = static_cast<int>(threadIdx.x), x = thread % 16, y = thread / 16;
    const std::int64_t begin = blockIdx.y * blocks_per_part, end = min(begin + blocks_per_part, blocks);
    float sums[2][2] = {};
    for (std::int64_t b = begin; b < end; b += kTile / kDreamRows) {
        for (int e = thread; e < kTile * kTile / kDreamRows; e += kDreamThreads) {
            const std::int64_t block = b + e / kTile;
            const int o = tile.out + e % kTile, i = tile.in + e % kTile;
            float4 slope = make_float4(0, 0, 0, 0), value = make_float4(0, 0, 0, 0);
            if (block < end && o < layer.out) slope = slopes[block * net.width + layer.output + o];
            if (block < end && i < layer.in) value = values[block * net.width + layer.input + i];
            if (i == layer.in) value = make_float4(1, 1, 1, 1);
            for (int q = 0; q < kDreamRows; ++q) {
                by_output[e / kTile * kDreamRows + q][e % kTile] = of(slope)[q];
                seen[e / kTile * kDreamRows + q][e % kTile] = of(value)[q];
            }
        }
        __syncthreads();
        for (int r = 0; r < kTile; ++r) {
            for (int a = 0; a < 2; ++a) {
                for (int c = 0; c < 2; ++c)
                    sums[a][c] = fmaf(by_output[r][y + 16 * a], seen[r][x + 16 * c], sums[a][c]);
            }
        }
        __syncthreads();
    }
    float* own = partial + blockIdx.y * parameters;
    for (int a = 0; a < 2; ++a) {
        for (int c = 0; c < 2; ++c) {
            const int o = tile.out + y + 16 * a, i = tile.in + x + 16 * c;
            if (o >= layer.out || i > layer.in) continue;
            float* to = own + (i == layer.in ? layer.bias + o
                                             : layer.weight + static_cast<std::int64_t>(o) * layer.in + i);
            *to = adds ? *to + sums[a][c] : sums[a][c];
        }
    }
}

/// One thread a parameter: adds up the parts in their order, then Adam.
__global__ void adam_step(const float* partial, int parts, std::int64_t count, const int* places,
                          AdamFactors f, float* gradients, float* parameters, float* first, float* second,
                          float* turned) {
    const std::int64_t p = static_cast<std::int64_t>(blockIdx.x) * kDreamThreads + threadIdx.x;
    if (p >= count) return;
    float sum = 0;
    for (int part = 0; part < parts; ++part) sum += partial[part * count + p];
    gradients[p] = sum;
    const float gradient = sum + f.weight_decay * parameters[p];
    const float mean = first[p] + f.mix1 * (gradient - first[p]);
    const float square = f.keep2 * second[p] + f.mix2 * (gradient * gradient);
    first[p] = mean;
    second[p] = square;
    const float value = parameters[p] - f.step_size * mean / (sqrtf(square) / f.correction + f.epsilon);
    parameters[p] = value;
    turned[places[p]] = value;
}

std::vector<GradientTile> tiles_of(const std::vector<DreamDeviceLayer>& layers) {
    std::vector<GradientTile> tiles;
    for (std::size_t l = 0; l < layers.size(); ++l) {
        for (int o = 0; o < layers[l].out; o += kTile) {
            for (int i = 0; i <= layers[l].in; i += kTile) tiles.push_back({static_cast<int>(l), o, i});
        }
    }
    return tiles;
}

/// Device memory that grows with what is asked of it.
template <typename T>
T* room(Backend& backend, Buffer<T>& buffer, std::int64_t count, const char* owner) {
    if (static_cast<std::int64_t>(buffer.size()) < count) {
        buffer = {};
        buffer = Buffer<T>(backend, static_cast<std::size_t>(count), owner);
    }
    return buffer.data();
}

class DreamStepCuda final : public DreamStep {
  public:
    DreamStepCuda(Backend& backend, const DreamStepOptions& options)
        : backend_(backend),
          options_(options),
          table_(dream_device_layers(options.shape, width_)),
          tiles_(tiles_of(table_)),
          count_(dream_net_layers(options.shape).back().end()),
          places_(dream_turned_places(options.shape)) {
        const Op op(backend, "dream_step", std::to_string(count_) + " parameters");
        layers_d_ = {backend, table_, "dream.layers"};
        tiles_d_ = {backend, tiles_, "dream.layers"};
        places_d_ = {backend, places_, "dream.layers"};
        const std::vector<float> zeros(static_cast<std::size_t>(count_));
        for (Buffer<float>* each : {&parameters_, &first_, &second_, &gradients_, &turned_})
            *each = Buffer<float>(backend, zeros, "dream.parameters");
    }

    DreamStepLosses step(const DreamStepBatch& batch) override {
        check_fits(options_, batch);
        const Op op(backend_, "dream_step",
                    std::to_string(batch.rows) + " rows of " + std::to_string(options_.shape.columns) + ", " +
                        std::to_string(count_) + " parameters");
        DreamStepLosses losses;
        std::int64_t parts = 0;
        for (std::int64_t at = 0; at < batch.rows; at += kRowsPerPass) {
            const std::int64_t rows = std::min(kRowsPerPass, batch.rows - at);
            const std::int64_t wanted = std::clamp<std::int64_t>(rows / kPartRows, 1, kPartsMax);
            if (at == 0) parts = wanted;
            pass(op, batch, at, rows, parts, losses);
        }
        adam(op, static_cast<int>(parts));
        finish_losses(options_, batch.rows, losses);
        return losses;
    }

    std::vector<float> gradients() const override {
        const Op op(backend_, "dream_step", "its gradients");
        return gradients_.to_host();
    }
    DreamStepState state() const override {
        const Op op(backend_, "dream_step", "its state");
        return {parameters_.to_host(), first_.to_host(), second_.to_host(), steps_};
    }

    void set_state(DreamStepState state) override {
        check_fits(options_, state);
        const Op op(backend_, "dream_step", "its state");
        const std::vector<float> turned = dream_turned(state.parameters, places_);
        parameters_.upload(state.parameters);
        first_.upload(state.first_moment);
        second_.upload(state.second_moment);
        turned_.upload(turned);
        steps_ = state.steps;
    }

  private:
    /// The batch's rows from `at` on, as the device has them. A pass of a larger batch has its own factors.
    DeviceBatch to_device(const DreamStepBatch& batch, std::int64_t at, std::int64_t rows) {
        const std::int64_t d = options_.shape.columns;
        const auto part = [&](std::span<const float> all, std::int64_t width) {
            return all.subspan(static_cast<std::size_t>(at * width), static_cast<std::size_t>(rows * width));
        };
        float* const clean = room(backend_, clean_, rows * d, "dream.batch");
        float* const anomalous = room(backend_, anomalous_, rows * d, "dream.batch");
        float* const labels = room(backend_, labels_, rows, "dream.batch");
        float* keep = nullptr;
        clean_.upload(part(batch.clean, d));
        anomalous_.upload(part(batch.anomalous, d));
        labels_.upload(part(batch.labels, 1));
        if (!batch.keep.empty()) {
            const auto hidden = static_cast<std::int64_t>(batch.keep.size()) / batch.rows;
            keep = room(backend_, keep_, rows * hidden, "dream.batch");
            for (const DreamDeviceLayer& layer : table_) {
                if (layer.is_hidden == 0) continue;
                const auto first = static_cast<std::size_t>(layer.keep * batch.rows + at * layer.out);
                keep_.upload(batch.keep.subspan(first, static_cast<std::size_t>(rows * layer.out)),
                             static_cast<std::size_t>(layer.keep * rows));
            }
        }
        return {clean,
                anomalous,
                labels,
                keep,
                rows,
                static_cast<double>(batch.rows),
                options_.discriminator_weight};
    }

    DreamDeviceNet net() const {
        return dream_device_net(options_.shape, layers_d_, width_, parameters_, turned_);
    }

    void pass(const Op& op, const DreamStepBatch& batch, std::int64_t at, std::int64_t rows,
              std::int64_t parts, DreamStepLosses& losses) {
        const std::int64_t blocks = blocks_for(rows, kDreamRows);
        const std::int64_t per_part = (blocks + parts - 1) / parts;
        float4* const values = room(backend_, values_, blocks * width_, "dream.values");
        float4* const slopes = room(backend_, slopes_, blocks * width_, "dream.values");
        double* const sums = room(backend_, losses_, 2 * blocks, "dream.losses");
        float* const partial = room(backend_, partial_, parts * count_, "dream.gradients");
        launch(op, "learn_rows", static_cast<unsigned>(blocks), kDreamThreads, 0, learn_rows, net(),
               to_device(batch, at, rows), values, slopes, sums);
        const dim3 grid(static_cast<unsigned>(tiles_.size()), static_cast<unsigned>(parts));
        launch(op, "gradient_tiles", grid, kDreamThreads, 0, gradient_tiles, net(), tiles_d_.data(), values,
               slopes, blocks, per_part, count_, at > 0, partial);
        sums_.resize(static_cast<std::size_t>(2 * blocks));
        losses_.download(sums_);
        for (std::size_t b = 0; b < sums_.size(); b += 2) {
            losses.reconstruction += sums_[b];
            losses.discriminator += sums_[b + 1];
        }
    }

    void adam(const Op& op, int parts) {
        launch(op, "adam_step", blocks_for(count_, kDreamThreads), kDreamThreads, 0, adam_step,
               partial_.data(), parts, count_, places_d_.data(), adam_factors(options_.adam, ++steps_),
               gradients_.data(), parameters_.data(), first_.data(), second_.data(), turned_.data());
    }

    Backend& backend_;
    DreamStepOptions options_;
    std::int64_t width_ = 0;
    std::vector<DreamDeviceLayer> table_;
    std::vector<GradientTile> tiles_;
    std::int64_t count_;
    std::vector<int> places_;
    Buffer<DreamDeviceLayer> layers_d_;
    Buffer<GradientTile> tiles_d_;
    Buffer<int> places_d_;
    Buffer<float> parameters_, first_, second_, gradients_, turned_;
    Buffer<float> clean_, anomalous_, labels_, keep_, partial_;
    Buffer<float4> values_, slopes_;
    Buffer<double> losses_;
    std::vector<double> sums_;
    std::int64_t steps_ = 0;
};

}  // namespace

std::unique_ptr<DreamStep> make_dream_step_cuda(Backend& backend, const DreamStepOptions& options) {
    return std::make_unique<DreamStepCuda>(backend, options);
}

}  // namespace nightshift::kernels
