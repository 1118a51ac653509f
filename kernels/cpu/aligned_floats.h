#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace nightshift::kernels {

/// Memory that begins where a cache line does: no load or store of a whole register in it, counted in
/// registers from there, touches two lines.
template <typename T>
struct LineAllocator {
    using value_type = T;
    static constexpr std::align_val_t kLine{64};

    LineAllocator() = default;
    template <typename Other>
    explicit LineAllocator(const LineAllocator<Other>&) {}

    T* allocate(std::size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), kLine)); }
    void deallocate(T* data, std::size_t) { ::operator delete(data, kLine); }
    friend bool operator==(const LineAllocator&, const LineAllocator&) { return true; }
};

using AlignedFloats = std::vector<float, LineAllocator<float>>;

}  // namespace nightshift::kernels
