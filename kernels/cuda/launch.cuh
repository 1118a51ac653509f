#pragma once

#include <cooperative_groups.h>
#include <cuda_runtime_api.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

#include "kernels/cuda/cuda_backend.cuh"

namespace nightshift::kernels::cuda {

constexpr int kWarp = 32;
constexpr unsigned kWholeWarp = 0xffffffffu;
/// Shared memory of a block that needs no opting in, on every architecture.
constexpr std::size_t kSharedBytesAlways = std::size_t{48} << 10;

/// Shared memory that the launch asked for, aligned to 128 bytes. One a kernel.
template <typename T>
__device__ inline T* shared_memory() {
#ifdef NIGHTSHIFT_CUDA_EMULATED
    return static_cast<T*>(::emulator::shared_bytes());
#else
    extern __shared__ __align__(128) unsigned char nightshift_shared[];
    return reinterpret_cast<T*>(nightshift_shared);
#endif
}

/// Waits for all threads of a grid that launch_together() started. Such a kernel takes its shared memory from
/// shared_memory(), and has no `__shared__` variable.
__device__ inline void grid_barrier() {
    cooperative_groups::this_grid().sync();
}

/// Blocks that `count` things need, `each` of them a block.
inline unsigned blocks_for(std::int64_t count, int each) {
    return static_cast<unsigned>((count + each - 1) / each);
}

namespace detail {

template <typename Launch, typename... Wanted, typename... Given>
void launch(Launch call, const Op& op, const char* what, std::size_t shared_bytes, void (*kernel)(Wanted...),
            Given&&... given) {
    static_assert(sizeof...(Wanted) == sizeof...(Given));
    std::tuple<std::remove_const_t<Wanted>...> values(
        static_cast<std::remove_const_t<Wanted>>(std::forward<Given>(given))...);
    if (shared_bytes > kSharedBytesAlways)
        op.check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                      static_cast<int>(shared_bytes)),
                 what);
    std::apply(
        [&](auto&... each) {
            std::array<void*, sizeof...(each) + 1> pointers = {static_cast<void*>(&each)..., nullptr};
            op.backend().begin_launch(what);
            op.check(call(pointers.data()), what);
            op.backend().end_launch();
        },
        values);
}

}  // namespace detail

/// Puts a kernel on the op's stream. `what` names it in errors. The arguments are copied.
template <typename... Wanted, typename... Given>
void launch(const Op& op, const char* what, dim3 grid, dim3 block, std::size_t shared_bytes,
            void (*kernel)(Wanted...), Given&&... given) {
    detail::launch(
        [&](void** pointers) {
            return cudaLaunchKernel(kernel, grid, block, pointers, shared_bytes, op.stream());
        },
        op, what, shared_bytes, kernel, std::forward<Given>(given)...);
}

/// The same where all blocks have to run at once, for grid_barrier(): at most blocks_together() of them.
template <typename... Wanted, typename... Given>
void launch_together(const Op& op, const char* what, dim3 grid, dim3 block, std::size_t shared_bytes,
                     void (*kernel)(Wanted...), Given&&... given) {
    detail::launch(
        [&](void** pointers) {
            return cudaLaunchCooperativeKernel(kernel, grid, block, pointers, shared_bytes, op.stream());
        },
        op, what, shared_bytes, kernel, std::forward<Given>(given)...);
}

template <typename... Wanted>
unsigned blocks_together(const Op& op, void (*kernel)(Wanted...), int threads, std::size_t shared_bytes) {
    int blocks = 0;
    if (shared_bytes > kSharedBytesAlways)
        op.check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                      static_cast<int>(shared_bytes)),
                 "cudaFuncSetAttribute");
    op.check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel, threads, shared_bytes),
             "cudaOccupancyMaxActiveBlocksPerMultiprocessor");
    return static_cast<unsigned>(std::max(blocks, 1) * op.backend().info().multiprocessors);
}

}  // namespace nightshift::kernels::cuda
