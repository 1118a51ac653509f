#include "kernels/view.h"

namespace nightshift::kernels {

namespace {

std::string shape_text(std::span<const std::int64_t> shape) {
    std::string text = "[";
    for (const std::int64_t extent : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
    return text + "]";
}

/// True where a * b, both not negative, is at most kViewElementsMax.
bool fits(std::int64_t a, std::int64_t b) {
    return a == 0 || b <= kViewElementsMax / a;
}

}  // namespace

std::int64_t checked_elements(const char* what, std::span<const std::int64_t> shape) {
    std::int64_t count = 1;
    bool is_empty = false;
    for (const std::int64_t extent : shape) {
        if (extent < 0)
            throw std::invalid_argument(std::string(what) + ": a negative extent in " + shape_text(shape));
        is_empty = is_empty || extent == 0;
        // Zeros are left out, so that the order of the extents does not decide whether they fit.
        if (!fits(count, extent))
            throw std::invalid_argument(std::string(what) + ": more elements in " + shape_text(shape) +
                                        " than can be counted; pass it in parts");
        if (extent > 0) count *= extent;
    }
    return is_empty ? 0 : count;
}

void check_extents(const char* what, std::span<const std::int64_t> shape,
                   std::span<const std::int64_t> strides) {
    if (checked_elements(what, shape) == 0) return;
    std::int64_t reach = 0;
    for (std::size_t d = 0; d < shape.size(); ++d) {
        const std::int64_t steps = shape[d] - 1;
        if (steps == 0) continue;
        const bool is_near = strides[d] >= -kViewElementsMax && strides[d] <= kViewElementsMax &&
                             fits(steps, strides[d] < 0 ? -strides[d] : strides[d]);
        if (is_near) reach += steps * (strides[d] < 0 ? -strides[d] : strides[d]);
        if (!is_near || reach > kViewElementsMax)
            throw std::invalid_argument(std::string(what) + ": strides of " + shape_text(shape) +
                                        " lead beyond any memory");
    }
}

}  // namespace nightshift::kernels
