#pragma once

#include <cstdint>

#include "kernels/cpu/host_dream_step.h"
#include "kernels/cuda/dream_device.cuh"

/// What a block of threads learns from four rows. A Batch says where they come from:
///   rows, batch_rows     of this launch, and what means are taken over
///   load(net, first, values)   the block's rows as they are seen, and whatever label() needs; barrier at its
///   end clean(row, j), label(row)  what shall be given back keep(first)                a functor of factors
///   of dropout, see run_layers()
namespace nightshift::kernels::cuda {

/// Arrays of all rows on the device; keep may be nullptr.
struct GivenBatch {
    const float *rows_clean, *rows_anomalous, *labels, *factors;
    std::int64_t rows;
    double batch_rows;
    double discriminator_weight;
    int columns;

    struct Keep {
        const GivenBatch& batch;
        std::int64_t first;
        __device__ float4 operator()(const DreamDeviceLayer& layer, int o) const {
            float4 factor = make_float4(1, 1, 1, 1);
            if (batch.factors == nullptr) return factor;
            const float* own = batch.factors + layer.keep * batch.rows;
            for (int q = 0; q < kDreamRows && first + q < batch.rows; ++q)
                of(factor)[q] = own[(first + q) * layer.out + o];
            return factor;
        }
    };

    __device__ void load(const DreamDeviceNet& net, std::int64_t first, float4* values) {
        load_rows(net, rows_anomalous, rows, first, values);
    }
    __device__ float clean(std::int64_t row, int j) const { return rows_clean[row * columns + j]; }
    __device__ float label(std::int64_t row) const { return labels[row]; }
    __device__ Keep keep(std::int64_t first) const { return {*this, first}; }
};

/// slope[q] = 0 where the value was not above 0, else times its dropout factor.
template <typename Keep>
__device__ void pass_back(const DreamDeviceLayer& layer, const Keep& keep, int o, const float4& value,
                          float4& slope) {
    if (!layer.is_hidden) return;
    const float4 factor = keep(layer, o);
    for (int q = 0; q < kDreamRows; ++q)
        of(slope)[q] = of(value)[q] > 0 ? of(slope)[q] * of(factor)[q] : 0.0F;
}

/// Thread 0: cross entropy of the block's rows, and its derivative by the logits.
template <typename Batch>
__device__ double cross_entropy(const Batch& batch, std::int64_t first, const float4& logits, float4& slope) {
    const float share = static_cast<float>(batch.discriminator_weight) / static_cast<float>(batch.batch_rows);
    double sum = 0;
    slope = make_float4(0, 0, 0, 0);
    for (int q = 0; q < kDreamRows && first + q < batch.rows; ++q) {
        const float label = batch.label(first + q), probability = sigmoid(of(logits)[q]);
        const double wide = static_cast<double>(probability);
        sum -= fmax(log(label > 0.5F ? wide : 1 - wide), kDreamLogMin);
        of(slope)[q] = share * (probability - label);
    }
    return sum;
}

/// Rows 4 block .. 4 block + 3: forward, losses [2] (sums of squares and of cross entropy), and the
/// derivatives by every layer's output before its ReLU, laid out like the values [net.width].
template <typename Batch>
__device__ void learn_block(const DreamDeviceNet& net, Batch batch, std::int64_t block, float4* values,
                            float4* slopes, double* losses) {
    const std::int64_t first = block * kDreamRows;
    batch.load(net, first, values);
    const auto keep = batch.keep(first);
    run_layers(net, 0, net.count, keep, values);
    const int columns = net.columns;
    if (threadIdx.x == 0) {
        const std::int64_t logit = net.layers[net.count - 1].output;
        losses[1] = cross_entropy(batch, first, values[logit], slopes[logit]);
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
                               pass_back(before, keep, i, values[before.output + i], sum);
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
                               if (row < batch.rows) error = of(given_back)[q] - batch.clean(row, j);
                               squares += static_cast<double>(error) * static_cast<double>(error);
                               of(sum)[q] += share * error;
                           }
                           slopes[columns + j] = sum;
                       });
    }
    squares = sum_of_block(squares);
    if (threadIdx.x == 0) losses[0] = squares;
}

}  // namespace nightshift::kernels::cuda
