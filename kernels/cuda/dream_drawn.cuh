#pragma once

#include <cstdint>

#include "kernels/cuda/dream_learn.cuh"
#include "kernels/philox.h"

namespace nightshift::kernels::cuda {

/// A run's tables on the device.
struct DreamRunTables {
    const float* rows;          ///< [n, columns]
    const std::int64_t* order;  ///< rows of the batches of this launch, one after another
    const int* scaling_of;      ///< [columns] the last scaling of each column, or -1
    const DreamScaling* scalings;
    std::int64_t in_order;  ///< rows of all batches
    std::int64_t batch;     ///< rows of a batch but the last
    std::uint64_t seed;
    std::uint32_t anomaly_kind, dropout_kind, epoch, first_batch;
    float drop, kept;  ///< kept = 1 / (1 - drop)
    double discriminator_weight;
    int columns;
};

/// Entry `at` of the array that fill_uniforms() draws.
__device__ inline float uniform_at(std::uint64_t seed, std::uint32_t batch, std::uint32_t kind,
                                   std::uint32_t epoch, std::int64_t at) {
    const PhiloxWords words = philox({static_cast<std::uint32_t>(at / 4), batch, kind, epoch}, seed);
    const int word = static_cast<int>(at % 4);
    return unit_float(word == 0 ? words.w0 : word == 1 ? words.w1 : word == 2 ? words.w2 : words.w3);
}

/// Batch `index` of a launch, gathered and drawn where it is used (a Batch of dream_learn.cuh). Of a block of
/// threads; labels lie in shared memory behind what learn_block() uses.
struct DrawnBatch {
    DreamRunTables run;
    std::uint32_t number;  ///< in the epoch
    std::int64_t begin;    ///< in the order
    std::int64_t rows;
    double batch_rows;
    double discriminator_weight;

    __device__ static DrawnBatch at(const DreamRunTables& run, std::int64_t index) {
        const std::int64_t begin = index * run.batch, rows = min(run.batch, run.in_order - begin);
        return {run,
                run.first_batch + static_cast<std::uint32_t>(index),
                begin,
                rows,
                static_cast<double>(rows),
                run.discriminator_weight};
    }

    struct Keep {
        const DrawnBatch& batch;
        std::int64_t first;
        __device__ float4 operator()(const DreamDeviceLayer& layer, int o) const {
            float4 factor = make_float4(1, 1, 1, 1);
            const DreamRunTables& run = batch.run;
            for (int q = 0; q < kDreamRows && first + q < batch.rows && run.drop > 0; ++q) {
                const std::int64_t at = layer.keep * batch.rows + (first + q) * layer.out + o;
                const float uniform = uniform_at(run.seed, batch.number, run.dropout_kind, run.epoch, at);
                of(factor)[q] = uniform < run.drop ? 0.0F : run.kept;
            }
            return factor;
        }
    };

    __device__ int* labels() const {
        return reinterpret_cast<int*>(shared_memory<unsigned char>() + kDreamSharedBytes);
    }
    __device__ float uniform(std::int64_t at) const {
        return uniform_at(run.seed, number, run.anomaly_kind, run.epoch, at);
    }

    __device__ void load(const DreamDeviceNet& net, std::int64_t first, float4* values) {
        int* const changed = labels();
        if (threadIdx.x < kDreamRows) changed[threadIdx.x] = 0;
        __syncthreads();
        for (int j = static_cast<int>(threadIdx.x); j < net.columns; j += kDreamThreads) {
            float4 value = make_float4(0, 0, 0, 0);
            const int s = run.scaling_of[j];
            for (int q = 0; q < kDreamRows && first + q < rows; ++q) {
                const float before = clean(first + q, j);
                float after = before;
                if (s >= 0 && uniform(first + q) > 0.5F) {
                    const float product = run.scalings[s].span * uniform((1 + s) * rows + first + q);
                    after = before * (run.scalings[s].low + product);
                }
                if (fabsf(after - before) > 1e-6F) atomicOr(changed + q, 1);
                of(value)[q] = after;
            }
            values[j] = value;
        }
        __syncthreads();
    }
    __device__ float clean(std::int64_t row, int j) const {
        return run.rows[run.order[begin + row] * run.columns + j];
    }
    __device__ float label(std::int64_t row) const { return labels()[row % kDreamRows] != 0 ? 1.0F : 0.0F; }
    __device__ Keep keep(std::int64_t first) const { return {*this, first}; }
};

constexpr std::size_t kDrawnSharedBytes = kDreamSharedBytes + sizeof(int) * kDreamRows;

}  // namespace nightshift::kernels::cuda
