#include "kernels/cpu/each_variant.h"
#include "kernels/cpu/letterbox_plan.h"

namespace nightshift::kernels {

namespace {

struct ChannelScale {
    float full, mean, deviation;
};

#define NIGHTSHIFT_BODY "kernels/cpu/letterbox.inc"
#include "kernels/cpu/each_variant.inc"

struct Loops {
    void (*mix_levels)(const std::uint8_t*, const std::uint8_t*, const float*, std::int64_t, float*);
    void (*mix_rows)(const float*, const float*, float, const ChannelScale&, std::int64_t, float*);
};

Loops loops_of(CpuVariant variant) {
    return {NIGHTSHIFT_VARIANT_OF(mix_levels, variant), NIGHTSHIFT_VARIANT_OF(mix_rows, variant)};
}

/// Rows of one channel, resized along themselves; the last two are kept, because neighbours share them.
class ResizedRows {
  public:
    ResizedRows(const TensorView<const std::uint8_t, 2>& plane, const AxisTaps& columns, const Loops& loops)
        : plane_(plane), columns_(columns), loops_(loops), low_(columns.low.size()), high_(low_.size()) {
        for (Kept& each : kept_) each.values.resize(low_.size());
    }

    /// Valid until a row other than this and the one asked for before is asked for.
    const float* row(std::int32_t index) {
        for (Kept& each : kept_) {
            if (each.index != index) continue;
            newest_ = static_cast<int>(&each - kept_);
            return each.values.data();
        }
        newest_ = 1 - newest_;
        Kept& taken = kept_[newest_];
        taken.index = index;
        const std::uint8_t* levels = plane_.data + index * plane_.strides[0];
        for (std::size_t x = 0; x < low_.size(); ++x) {
            low_[x] = levels[columns_.low[x] * plane_.strides[1]];
            high_[x] = levels[columns_.high[x] * plane_.strides[1]];
        }
        loops_.mix_levels(low_.data(), high_.data(), columns_.weight.data(),
                          static_cast<std::int64_t>(low_.size()), taken.values.data());
        return taken.values.data();
    }

  private:
    struct Kept {
        std::int32_t index = -1;
        std::vector<float> values;
    };
    const TensorView<const std::uint8_t, 2> plane_;
    const AxisTaps& columns_;
    const Loops loops_;
    std::vector<std::uint8_t> low_, high_;
    Kept kept_[2];
    int newest_ = 0;
};

void fill(float* row, std::int64_t stride, std::int64_t first, std::int64_t last, float value) {
    for (std::int64_t x = first; x < last; ++x) row[x * stride] = value;
}

}  // namespace

LetterboxPlace letterbox_cpu(const TensorView<const std::uint8_t, 3>& in, const TensorView<float, 3>& out,
                             const LetterboxParams& params) {
    const LetterboxPlan plan = letterbox_plan(in, out, params);
    const LetterboxPlace& place = plan.place;
    const Loops loops = loops_of(cpu_variant());
    const std::int64_t stride = out.strides[2];
    std::vector<float> inner(stride == 1 ? 0 : static_cast<std::size_t>(place.width));
    for (std::int64_t c = 0; c < plan.channels; ++c) {
        const auto channel = static_cast<std::size_t>(c);
        const ChannelScale scale{params.pixels.full, params.pixels.mean[channel],
                                 params.pixels.deviation[channel]};
        const float border = normalised(params.pad, scale.full, scale.mean, scale.deviation);
        ResizedRows rows(picked(in, 2, plan.source(c)), plan.columns, loops);
        for (std::int64_t y = 0; y < plan.out_height; ++y) {
            float* row = &out(c, y, 0);
            const std::int64_t at = y - place.top;
            if (at < 0 || at >= place.height) {
                fill(row, stride, 0, plan.out_width, border);
                continue;
            }
            const auto tap = static_cast<std::size_t>(at);
            const float* top = rows.row(plan.rows.low[tap]);
            const float* bottom = rows.row(plan.rows.high[tap]);
            float* image = row + place.left * stride;
            loops.mix_rows(top, bottom, plan.rows.weight[tap], scale, place.width,
                           stride == 1 ? image : inner.data());
            for (std::int64_t x = 0; stride != 1 && x < place.width; ++x)
                image[x * stride] = inner[static_cast<std::size_t>(x)];
            fill(row, stride, 0, place.left, border);
            fill(row, stride, place.left + place.width, plan.out_width, border);
        }
    }
    return place;
}

}  // namespace nightshift::kernels
