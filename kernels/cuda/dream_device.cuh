#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/buffer.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/dream_net.h"

/// The forward pass of the DREAM pair on the GPU: a block of threads takes four rows through all layers
/// without leaving the kernel. Its values lie in global memory, where the first cache holds them, so
/// widths are not bounded by shared memory. A value is a float4: one number for each of the four rows.
namespace nightshift::kernels::cuda {

constexpr int kDreamThreads = 256;
constexpr int kDreamRows = 4;

/// Offsets of `input` and `output` are into a block's values, in float4.
struct DreamDeviceLayer {
    int in, out;
    int is_hidden;
    std::int64_t weight, bias;  ///< in the flat parameters
    std::int64_t input, output;
    std::int64_t keep;  ///< hidden values of a row before this layer's
};

/// A net as kernels take it. Each block of rows has `width` values: the rows seen, their reconstruction,
/// then the outputs of the other layers.
struct DreamDeviceNet {
    const DreamDeviceLayer* layers;
    int count, autoencoder, columns;
    std::int64_t width;
    const float* parameters;
    const float* turned;  ///< weights [in, out] at the layers' offsets
};

/// The layers' table, with offsets.
inline std::vector<DreamDeviceLayer> dream_device_layers(const DreamNetShape& shape, std::int64_t& width) {
    std::vector<DreamDeviceLayer> layers;
    const auto autoencoder = dream_net_autoencoder(shape);
    std::int64_t keep = 0;
    width = 2 * shape.columns;
    for (const DreamNetLayer& layer : dream_net_layers(shape)) {
        const std::size_t i = layers.size();
        DreamDeviceLayer own{};
        own.in = static_cast<int>(layer.in);
        own.out = static_cast<int>(layer.out);
        own.is_hidden = layer.is_hidden ? 1 : 0;
        own.weight = layer.offset;
        own.bias = layer.bias_offset();
        own.input = i == 0 || i == autoencoder ? 0 : layers[i - 1].output;
        own.output = i + 1 == autoencoder ? shape.columns : width;
        if (i + 1 != autoencoder) width += layer.out;
        own.keep = keep;
        if (layer.is_hidden) keep += layer.out;
        layers.push_back(own);
    }
    return layers;
}

/// For each parameter its place in the turned array (biases keep theirs).
inline std::vector<int> dream_turned_places(const DreamNetShape& shape) {
    std::vector<int> places;
    for (const DreamNetLayer& layer : dream_net_layers(shape)) {
        for (std::int64_t o = 0; o < layer.out; ++o) {
            for (std::int64_t i = 0; i < layer.in; ++i)
                places.push_back(static_cast<int>(layer.offset + i * layer.out + o));
        }
        for (std::int64_t o = 0; o < layer.out; ++o)
            places.push_back(static_cast<int>(layer.bias_offset() + o));
    }
    return places;
}

/// The parameters with each at its turned place.
inline std::vector<float> dream_turned(std::span<const float> parameters, const std::vector<int>& places) {
    std::vector<float> turned(parameters.size());
    for (std::size_t p = 0; p < turned.size(); ++p)
        turned[static_cast<std::size_t>(places[p])] = parameters[p];
    return turned;
}

/// The buffers have to outlive it.
inline DreamDeviceNet dream_device_net(const DreamNetShape& shape, const Buffer<DreamDeviceLayer>& layers,
                                       std::int64_t width, const Buffer<float>& parameters,
                                       const Buffer<float>& turned) {
    return {layers.data(),
            static_cast<int>(layers.size()),
            static_cast<int>(dream_net_autoencoder(shape)),
            static_cast<int>(shape.columns),
            width,
            parameters.data(),
            turned.data()};
}

__device__ inline void add_product(float4& sum, float factor, const float4& value) {
    sum.x = fmaf(factor, value.x, sum.x);
    sum.y = fmaf(factor, value.y, sum.y);
    sum.z = fmaf(factor, value.z, sum.z);
    sum.w = fmaf(factor, value.w, sum.w);
}

/// One element a row, so that loops over the four rows can be written.
__device__ inline float* of(float4& value) {
    return &value.x;
}
__device__ inline const float* of(const float4& value) {
    return &value.x;
}

/// Shared memory of a launch of kernels that call multiply_block() or sum_of_block().
constexpr std::size_t kDreamSharedBytes = sizeof(float4) * kDreamThreads;

/// finish(j, sum over k < depth of matrix[k * row + j] * values[k]) for each j < count, by one thread each.
/// Where columns are few, several groups of threads share the depth. Ends with a barrier. All threads call
/// it.
template <typename Finish>
__device__ void multiply_block(const float* matrix, std::int64_t row, int depth, int count,
                               const float4* values, Finish finish) {
    float4* const partial = shared_memory<float4>();
    const int width = min(kDreamThreads, (count + 31) / 32 * 32);
    const int groups = kDreamThreads / width;
    const int thread = static_cast<int>(threadIdx.x);
    const int group = thread / width;
    for (int first = 0; first < count; first += width) {
        const int j = first + thread % width;
        float4 sum = make_float4(0, 0, 0, 0);
        if (j < count && group < groups) {
#pragma unroll 8
            for (int k = group; k < depth; k += groups) add_product(sum, matrix[k * row + j], values[k]);
        }
        if (groups > 1) {
            partial[thread] = sum;
            __syncthreads();
            for (int g = 1; g < groups && group == 0; ++g) {
                const float4 other = partial[g * width + thread];
                for (int q = 0; q < kDreamRows; ++q) of(sum)[q] += of(other)[q];
            }
            __syncthreads();
        }
        if (j < count && group == 0) finish(j, sum);
    }
    __syncthreads();
}

/// Takes rows [rows, columns] from `first` on into the block's values; rows beyond the last are zeros.
__device__ inline void load_rows(const DreamDeviceNet& net, const float* rows, std::int64_t count,
                                 std::int64_t first, float4* values) {
    for (int j = static_cast<int>(threadIdx.x); j < net.columns; j += kDreamThreads) {
        float4 value = make_float4(0, 0, 0, 0);
        for (int q = 0; q < kDreamRows && first + q < count; ++q)
            of(value)[q] = rows[(first + q) * net.columns + j];
        values[j] = value;
    }
    __syncthreads();
}

/// Without dropout.
struct KeepAll {
    __device__ float4 operator()(const DreamDeviceLayer&, int) const { return make_float4(1, 1, 1, 1); }
};

/// Layers begin..end of the block's rows; keep(layer, o) are the factors of output o for the four rows.
template <typename Keep>
__device__ void run_layers(const DreamDeviceNet& net, int begin, int end, const Keep& keep, float4* values) {
    for (int l = begin; l < end; ++l) {
        const DreamDeviceLayer layer = net.layers[l];
        multiply_block(net.turned + layer.weight, layer.out, layer.in, layer.out, values + layer.input,
                       [&](int o, float4 sum) {
                           const float4 factor = layer.is_hidden ? keep(layer, o) : make_float4(1, 1, 1, 1);
                           for (int q = 0; q < kDreamRows; ++q) {
                               const float value = of(sum)[q] + net.parameters[layer.bias + o];
                               of(sum)[q] = layer.is_hidden && value < 0 ? 0.0F : value * of(factor)[q];
                           }
                           values[layer.output + o] = sum;
                       });
    }
}

__device__ inline float sigmoid(float logit) {
    return 1.0F / (1.0F + expf(-logit));
}

/// Sum of the threads' numbers, in a fixed order, for thread 0.
__device__ inline double sum_of_block(double own) {
    double* const partial = shared_memory<double>();
    const int thread = static_cast<int>(threadIdx.x);
    partial[thread] = own;
    __syncthreads();
    for (int half = kDreamThreads / 2; half > 0; half /= 2) {
        if (thread < half) partial[thread] += partial[thread + half];
        __syncthreads();
    }
    const double sum = partial[0];
    __syncthreads();
    return sum;
}

}  // namespace nightshift::kernels::cuda
