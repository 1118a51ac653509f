#pragma once

#include <cstdint>
#include <vector>

#include "kernels/adam.h"
#include "kernels/cuda/dream_device.cuh"

/// Gradients of a batch from its values and slopes, and Adam.
namespace nightshift::kernels::cuda {

/// Parts that a batch's rows are split into for the gradients, at most, and rows of a part, at least.
constexpr std::int64_t kGradientPartsMax = 64;
constexpr std::int64_t kGradientPartRows = 256;
/// Side of a tile of one layer's gradient, and rows taken up at once.
constexpr int kTile = 32;

/// A tile of one layer's gradient; column `in` of a layer is its bias.
struct GradientTile {
    int layer, out, in;
};

/// grid (tiles, parts), 16 x 16 threads. partial [parts, parameters]; a part's blocks of four rows go in
/// order.
static __global__ void gradient_tiles(DreamDeviceNet net, const GradientTile* tiles, const float4* values,
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

/// What steps change, on the device: all [count], in the layout of the parameters but for `turned`.
struct DreamLearnt {
    float *gradients, *parameters, *first, *second, *turned;
    const int* places;  ///< of each parameter in `turned`
};

/// Adam's step of one parameter, operation by operation as on the CPU.
__device__ inline void adam_parameter(const DreamLearnt& learnt, const AdamFactors& f, std::int64_t p,
                                      float sum) {
    learnt.gradients[p] = sum;
    const float before = learnt.parameters[p], gradient = sum + f.weight_decay * before;
    const float mean = learnt.first[p] + f.mix1 * (gradient - learnt.first[p]);
    const float square = f.keep2 * learnt.second[p] + f.mix2 * (gradient * gradient);
    learnt.first[p] = mean;
    learnt.second[p] = square;
    const float value = before - f.step_size * mean / (sqrtf(square) / f.correction + f.epsilon);
    learnt.parameters[p] = value;
    learnt.turned[learnt.places[p]] = value;
}

/// One thread a parameter: adds up the parts in their order, then Adam.
__device__ inline void adam_of_parts(const float* partial, int parts, std::int64_t count,
                                     const AdamFactors& f, const DreamLearnt& learnt) {
    const std::int64_t p = static_cast<std::int64_t>(blockIdx.x) * kDreamThreads + threadIdx.x;
    if (p >= count) return;
    float sum = 0;
    for (int part = 0; part < parts; ++part) sum += partial[part * count + p];
    adam_parameter(learnt, f, p, sum);
}

/// Those of all layers.
inline std::vector<GradientTile> tiles_of(const std::vector<DreamDeviceLayer>& layers) {
    std::vector<GradientTile> tiles;
    for (std::size_t l = 0; l < layers.size(); ++l) {
        for (int o = 0; o < layers[l].out; o += kTile) {
            for (int i = 0; i <= layers[l].in; i += kTile) tiles.push_back({static_cast<int>(l), o, i});
        }
    }
    return tiles;
}

}  // namespace nightshift::kernels::cuda
