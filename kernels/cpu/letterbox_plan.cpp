#include "kernels/cpu/letterbox_plan.h"

#include <algorithm>
#include <cmath>

namespace nightshift::kernels {

namespace {

void check_side(const char* what, std::int64_t side) {
    if (side < 1 || side > kImageSideMax)
        throw std::invalid_argument(std::string("letterbox: ") + what + " of " + std::to_string(side) +
                                    " pixels; 1 to " + std::to_string(kImageSideMax) + " are possible");
}

std::int64_t whole(double value) {
    return static_cast<std::int64_t>(std::nearbyint(value));
}

AxisTaps axis_taps(std::int64_t from, std::int64_t to) {
    AxisTaps taps;
    const double step = static_cast<double>(from) / static_cast<double>(to);
    const auto last = static_cast<double>(from - 1);
    for (std::int64_t i = 0; i < to; ++i) {
        const double at = std::clamp((static_cast<double>(i) + .5) * step - .5, 0.0, last);
        const double low = std::floor(at);
        taps.low.push_back(static_cast<std::int32_t>(low));
        taps.high.push_back(static_cast<std::int32_t>(std::min(low + 1, last)));
        taps.weight.push_back(static_cast<float>(at - low));
    }
    return taps;
}

}  // namespace

LetterboxPlace letterbox_place(std::int64_t in_height, std::int64_t in_width, std::int64_t out_height,
                               std::int64_t out_width, bool enlarges) {
    check_side("an input height", in_height);
    check_side("an input width", in_width);
    check_side("an output height", out_height);
    check_side("an output width", out_width);
    LetterboxPlace place;
    place.in_width = in_width;
    place.in_height = in_height;
    place.scale = std::min(static_cast<double>(out_height) / static_cast<double>(in_height),
                           static_cast<double>(out_width) / static_cast<double>(in_width));
    if (!enlarges) place.scale = std::min(place.scale, 1.0);
    place.width = std::max<std::int64_t>(whole(static_cast<double>(in_width) * place.scale), 1);
    place.height = std::max<std::int64_t>(whole(static_cast<double>(in_height) * place.scale), 1);
    place.left = whole(static_cast<double>(out_width - place.width) / 2 - .1);
    place.top = whole(static_cast<double>(out_height - place.height) / 2 - .1);
    return place;
}

LetterboxPlan letterbox_plan(const TensorView<const std::uint8_t, 3>& in, const TensorView<float, 3>& out,
                             const LetterboxParams& params) {
    check_view("letterbox: input", in);
    check_target("letterbox: output", out);
    LetterboxPlan plan;
    plan.channels = in.shape[2];
    plan.out_height = out.shape[1];
    plan.out_width = out.shape[2];
    if (plan.channels < 1 || plan.channels > kChannelsMax || out.shape[0] != plan.channels) {
        throw std::invalid_argument("letterbox: " + std::to_string(plan.channels) + " channels in and " +
                                    std::to_string(out.shape[0]) + " out; as many, 1 to " +
                                    std::to_string(kChannelsMax) + ", are needed");
    }
    if (params.swaps_red_blue && plan.channels < 3)
        throw std::invalid_argument("letterbox: red and blue can be swapped only where there are 3 channels");
    check_pixel_scale("letterbox", params.pixels, plan.channels);
    plan.swaps_red_blue = params.swaps_red_blue;
    plan.place = letterbox_place(in.shape[0], in.shape[1], plan.out_height, plan.out_width, params.enlarges);
    plan.columns = axis_taps(in.shape[1], plan.place.width);
    plan.rows = axis_taps(in.shape[0], plan.place.height);
    return plan;
}

void unletterbox(const TensorView<float, 2>& boxes, const LetterboxPlace& place) {
    check_target("unletterbox: boxes", boxes);
    if (boxes.shape[1] != 4) throw std::invalid_argument("unletterbox: boxes are rows of x1 y1 x2 y2");
    if (!(place.scale > 0) || place.in_width < 1 || place.in_height < 1)
        throw std::invalid_argument("unletterbox: take the place that letterbox() gave");
    for (std::int64_t i = 0; i < boxes.shape[0]; ++i) {
        for (std::int64_t side = 0; side < 4; ++side) {
            const bool is_x = side % 2 == 0;
            const auto first = static_cast<double>(is_x ? place.left : place.top);
            const auto last = static_cast<double>(is_x ? place.in_width : place.in_height);
            float& at = boxes(i, side);
            // Clamped in this order a NaN stays one.
            at = static_cast<float>(std::clamp((static_cast<double>(at) - first) / place.scale, 0.0, last));
        }
    }
}

}  // namespace nightshift::kernels
