#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace nightshift::kernels {

/// Most elements of a view, and how far its elements may lie apart: offsets in bytes keep well within 64
/// bits.
inline constexpr std::int64_t kViewElementsMax = std::int64_t{1} << 56;

/// Product of the extents. Throws std::invalid_argument, with `what` in front, where an extent is negative or
/// the product of those that are not 0 passes kViewElementsMax. Nothing is allocated.
std::int64_t checked_elements(const char* what, std::span<const std::int64_t> shape);

/// As checked_elements(), and the reach of the strides: the sum of (extent - 1) * |stride|.
void check_extents(const char* what, std::span<const std::int64_t> shape,
                   std::span<const std::int64_t> strides);

/// Elements that somebody else owns, of any host memory: a whole array, a crop, every second row, one channel
/// of many. Copied by value; valid as long as the memory. Element (i, j, ...) is data[i * strides[0] + ...].
template <typename T, std::size_t N>
struct TensorView {
    T* data = nullptr;
    std::array<std::int64_t, N> shape{};
    std::array<std::int64_t, N> strides{};  ///< in elements; negative ones go back, 0 repeats

    /// Nothing is checked.
    template <typename... Index>
    T& operator()(Index... at) const {
        static_assert(sizeof...(Index) == N);
        const std::int64_t index[] = {static_cast<std::int64_t>(at)...};
        std::int64_t offset = 0;
        for (std::size_t d = 0; d < N; ++d) offset += index[d] * strides[d];
        return data[offset];
    }
    /// What may be written may be read.
    template <typename Read,
              typename = std::enable_if_t<std::is_same_v<Read, const T> && !std::is_const_v<T>>>
    operator TensorView<Read, N>() const {  // NOLINT(google-explicit-constructor)
        return {data, shape, strides};
    }
};

/// Row-major, without gaps. Throws as checked_elements().
template <typename T, std::size_t N>
TensorView<T, N> contiguous_view(T* data, const std::array<std::int64_t, N>& shape) {
    TensorView<T, N> view{data, shape, {}};
    checked_elements("view", shape);
    std::int64_t stride = 1;
    for (std::size_t d = N; d-- > 0; stride *= shape[d] > 0 ? shape[d] : 1) view.strides[d] = stride;
    return view;
}

template <typename T, std::size_t N>
TensorView<T, N> contiguous_view(T* data, const std::int64_t (&shape)[N]) {
    return contiguous_view(data, std::to_array(shape));
}

/// Elements of a view; 0 where any extent is. The view has passed check_view().
template <typename T, std::size_t N>
std::int64_t element_count(const TensorView<T, N>& view) {
    std::int64_t count = 1;
    for (const std::int64_t extent : view.shape) count *= extent;
    return count;
}

/// Throws std::invalid_argument on extents or strides as in check_extents(), and on elements without memory.
template <typename T, std::size_t N>
void check_view(const char* what, const TensorView<T, N>& view) {
    check_extents(what, view.shape, view.strides);
    if (view.data == nullptr && element_count(view) > 0)
        throw std::invalid_argument(std::string(what) + ": a view with elements has no memory");
}

/// check_view() of what is written: no two elements may share a place through a stride of 0.
template <typename T, std::size_t N>
void check_target(const char* what, const TensorView<T, N>& view) {
    check_view(what, view);
    for (std::size_t d = 0; d < N; ++d) {
        if (view.strides[d] == 0 && view.shape[d] > 1 && element_count(view) > 0)
            throw std::invalid_argument(std::string(what) + ": a stride of 0 cannot be written through");
    }
}

/// True where the elements lie one after the other in the order of their indices.
template <typename T, std::size_t N>
bool is_contiguous(const TensorView<T, N>& view) {
    std::int64_t stride = 1;
    for (std::size_t d = N; d-- > 0; stride *= view.shape[d]) {
        if (view.shape[d] == 0) return true;
        if (view.shape[d] > 1 && view.strides[d] != stride) return false;
    }
    return true;
}

/// Entries first, first + step, ... of one axis; a negative step goes back. Throws std::invalid_argument
/// where one of them lies outside.
template <typename T, std::size_t N>
TensorView<T, N> sliced(TensorView<T, N> view, std::size_t axis, std::int64_t first, std::int64_t count,
                        std::int64_t step = 1) {
    const std::int64_t extent = axis < N ? view.shape[axis] : 0;
    const bool is_empty = count == 0 && first >= 0 && first <= extent;
    bool is_inside = count > 0 && first >= 0 && first < extent;
    if (is_inside && step > 0) is_inside = (count - 1) <= (extent - 1 - first) / step;
    if (is_inside && step < 0) is_inside = step >= -kViewElementsMax && (count - 1) <= first / -step;
    if (axis >= N || step == 0 || !(is_empty || is_inside)) {
        throw std::invalid_argument("slice: " + std::to_string(count) + " entries from " +
                                    std::to_string(first) + " by " + std::to_string(step) + " of axis " +
                                    std::to_string(axis) + ", which has " + std::to_string(extent));
    }
    if (is_inside) view.data += first * view.strides[axis];
    view.shape[axis] = count;
    if (count > 1) view.strides[axis] *= step;
    return view;
}

/// One entry of an axis, which goes: channel c of [h, w, c] is picked(view, 2, c). Throws as sliced().
template <typename T, std::size_t N>
TensorView<T, N - 1> picked(const TensorView<T, N>& view, std::size_t axis, std::int64_t index) {
    const TensorView<T, N> one = sliced(view, axis, index, 1);
    TensorView<T, N - 1> rest{one.data, {}, {}};
    for (std::size_t d = 0, to = 0; d < N; ++d) {
        if (d == axis) continue;
        rest.shape[to] = one.shape[d];
        rest.strides[to++] = one.strides[d];
    }
    return rest;
}

/// Copies between views of one shape, which the caller has checked.
template <typename T, std::size_t N>
void copy_elements(const TensorView<const T, N>& from, const TensorView<T, N>& to) {
    for (std::int64_t i = 0; i < from.shape[0]; ++i) {
        if constexpr (N == 1)
            to.data[i * to.strides[0]] = from.data[i * from.strides[0]];
        else
            copy_elements<T, N - 1>(picked(from, 0, i), picked(to, 0, i));
    }
}

/// The elements in the order of their indices: the view's own memory where it is contiguous, else a copy that
/// lies in `storage`.
template <typename T, std::size_t N>
const T* packed(const TensorView<const T, N>& view, std::vector<T>& storage) {
    if (is_contiguous(view)) return view.data;
    storage.resize(static_cast<std::size_t>(element_count(view)));
    copy_elements<T, N>(view, contiguous_view(storage.data(), view.shape));
    return storage.data();
}

}  // namespace nightshift::kernels
