#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

/// What kernels say inside themselves: qualifiers, built-in variables, barriers, words of a warp, atomics.
/// Part of the emulation's cuda_runtime_api.h.

#define __global__
#define __device__
#define __host__
#define __constant__ static
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
/// Blocks run one after another, so one copy serves them all. A kernel with a grid barrier has to take its
/// shared memory from the launch.
#define __shared__ static

struct dim3 {
    unsigned x = 1, y = 1, z = 1;
    constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};
struct alignas(16) float4 {
    float x, y, z, w;
};
struct alignas(8) float2 {
    float x, y;
};
struct alignas(16) double2 {
    double x, y;
};
struct alignas(8) int2 {
    int x, y;
};
struct alignas(16) int4 {
    int x, y, z, w;
};
inline float4 make_float4(float x, float y, float z, float w) {
    return {x, y, z, w};
}
inline float2 make_float2(float x, float y) {
    return {x, y};
}
inline double2 make_double2(double x, double y) {
    return {x, y};
}
inline int2 make_int2(int x, int y) {
    return {x, y};
}
inline int4 make_int4(int x, int y, int z, int w) {
    return {x, y, z, w};
}

namespace emulator {

constexpr int kWarpLanes = 32;

/// Where the running thread is.
struct Place {
    dim3 thread, block, block_size, grid_size;
    unsigned linear;  ///< number of the thread in its block
};
const Place& here();
/// Shared memory of the running thread's block, as many bytes as its launch asked for; all 0xff at first.
void* shared_bytes();
void block_barrier();
void grid_barrier();
/// Waits for the lanes of `mask`; then `words` has what each of them gave.
void exchange(unsigned mask, std::uint64_t own, std::uint64_t (&words)[kWarpLanes]);

template <typename T>
std::uint64_t to_word(T value) {
    static_assert(sizeof(T) <= 8);
    std::uint64_t word = 0;
    std::memcpy(&word, &value, sizeof value);
    return word;
}
template <typename T>
T from_word(std::uint64_t word) {
    T value;
    std::memcpy(&value, &word, sizeof value);
    return value;
}
template <typename T>
T of_lane(unsigned mask, T value, unsigned lane) {
    std::uint64_t words[kWarpLanes];
    exchange(mask, to_word(value), words);
    return lane < kWarpLanes && (mask >> lane & 1u) != 0 ? from_word<T>(words[lane]) : value;
}
inline unsigned own_lane() {
    return here().linear % kWarpLanes;
}

}  // namespace emulator

#define threadIdx (::emulator::here().thread)
#define blockIdx (::emulator::here().block)
#define blockDim (::emulator::here().block_size)
#define gridDim (::emulator::here().grid_size)

inline void __syncthreads() {
    emulator::block_barrier();
}
inline void __syncwarp(unsigned mask = 0xffffffffu) {
    std::uint64_t words[emulator::kWarpLanes];
    emulator::exchange(mask, 0, words);
}
inline void __threadfence() {}

template <typename T>
T __shfl_sync(unsigned mask, T value, int lane) {
    return emulator::of_lane(mask, value, static_cast<unsigned>(lane) % emulator::kWarpLanes);
}
template <typename T>
T __shfl_xor_sync(unsigned mask, T value, int other) {
    return emulator::of_lane(mask, value, emulator::own_lane() ^ static_cast<unsigned>(other));
}
template <typename T>
T __shfl_down_sync(unsigned mask, T value, unsigned by) {
    return emulator::of_lane(mask, value, emulator::own_lane() + by);
}
template <typename T>
T __shfl_up_sync(unsigned mask, T value, unsigned by) {
    return emulator::of_lane(mask, value, emulator::own_lane() - by);
}
inline unsigned __ballot_sync(unsigned mask, int is_true) {
    std::uint64_t words[emulator::kWarpLanes];
    emulator::exchange(mask, is_true != 0 ? 1 : 0, words);
    unsigned votes = 0;
    for (unsigned lane = 0; lane < emulator::kWarpLanes; ++lane) {
        if ((mask >> lane & 1u) != 0 && words[lane] != 0) votes |= 1u << lane;
    }
    return votes;
}
inline int __any_sync(unsigned mask, int is_true) {
    return __ballot_sync(mask, is_true) != 0 ? 1 : 0;
}
inline int __all_sync(unsigned mask, int is_true) {
    return __ballot_sync(mask, is_true) == mask ? 1 : 0;
}

// One thread runs at a time, so plain operations are atomic ones.
template <typename T>
T atomicExch(T* at, T value) {
    const T old = *at;
    *at = value;
    return old;
}
template <typename T>
T atomicAdd(T* at, T value) {
    return atomicExch(at, static_cast<T>(*at + value));
}
template <typename T>
T atomicMax(T* at, T value) {
    return atomicExch(at, *at < value ? value : *at);
}
template <typename T>
T atomicMin(T* at, T value) {
    return atomicExch(at, value < *at ? value : *at);
}
template <typename T>
T atomicOr(T* at, T value) {
    return atomicExch(at, static_cast<T>(*at | value));
}
template <typename T>
T atomicCAS(T* at, T wanted, T value) {
    const T old = *at;
    if (old == wanted) *at = value;
    return old;
}

template <typename T>
T __ldg(const T* at) {
    return *at;
}
inline double __longlong_as_double(long long word) {
    return std::bit_cast<double>(word);
}
inline long long __double_as_longlong(double value) {
    return std::bit_cast<long long>(value);
}
inline float __uint_as_float(unsigned word) {
    return std::bit_cast<float>(word);
}
inline unsigned __float_as_uint(float value) {
    return std::bit_cast<unsigned>(value);
}
inline float __int_as_float(int word) {
    return std::bit_cast<float>(word);
}
inline int __float_as_int(float value) {
    return std::bit_cast<int>(value);
}
inline int __popc(unsigned word) {
    return std::popcount(word);
}
inline int __popcll(unsigned long long word) {
    return std::popcount(word);
}
inline int __clz(int word) {
    return std::countl_zero(static_cast<unsigned>(word));
}
inline int __clzll(long long word) {
    return std::countl_zero(static_cast<unsigned long long>(word));
}
inline int __ffs(int word) {
    return word == 0 ? 0 : std::countr_zero(static_cast<unsigned>(word)) + 1;
}
inline int __ffsll(long long word) {
    return word == 0 ? 0 : std::countr_zero(static_cast<unsigned long long>(word)) + 1;
}

#define NIGHTSHIFT_LESSER_AND_GREATER(T) \
    inline T min(T a, T b) {             \
        return b < a ? b : a;            \
    }                                    \
    inline T max(T a, T b) {             \
        return a < b ? b : a;            \
    }
NIGHTSHIFT_LESSER_AND_GREATER(int)
NIGHTSHIFT_LESSER_AND_GREATER(unsigned)
NIGHTSHIFT_LESSER_AND_GREATER(long)
NIGHTSHIFT_LESSER_AND_GREATER(long long)
NIGHTSHIFT_LESSER_AND_GREATER(unsigned long)
NIGHTSHIFT_LESSER_AND_GREATER(unsigned long long)
#undef NIGHTSHIFT_LESSER_AND_GREATER
inline float min(float a, float b) {
    return __builtin_fminf(a, b);
}
inline float max(float a, float b) {
    return __builtin_fmaxf(a, b);
}
inline double min(double a, double b) {
    return __builtin_fmin(a, b);
}
inline double max(double a, double b) {
    return __builtin_fmax(a, b);
}
