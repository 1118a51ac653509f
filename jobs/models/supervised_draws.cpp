#include "jobs/models/supervised_draws.h"

#include "kernels/array_fill.h"
#include "kernels/exact_math.h"
#include "kernels/philox.h"

namespace nightshift::jobs {
namespace {

constexpr std::uint32_t kDropoutDraw = 0x5b03;
constexpr std::uint32_t kShiftDraw = 0x5b04;
constexpr std::uint32_t kNoiseDraw = 0x5b05;

kernels::PhiloxWords words_of(std::uint64_t seed, std::uint32_t kind, std::int64_t epoch, std::int64_t batch,
                              std::size_t element) {
    return kernels::philox({static_cast<std::uint32_t>(element), static_cast<std::uint32_t>(batch), kind,
                            static_cast<std::uint32_t>(epoch)},
                           seed);
}

/// Uniform in -reach..reach.
int shift_of(std::uint32_t word, int reach) {
    const auto count = static_cast<std::uint64_t>(2 * reach + 1);
    return static_cast<int>(word * count >> 32) - reach;
}

}  // namespace

void SupervisedDraws::keep_factors(std::int64_t epoch, std::int64_t batch, float dropped,
                                   std::span<float> out) const {
    kernels::fill_keep_factors(
        {seed_, static_cast<std::uint32_t>(batch), kDropoutDraw, static_cast<std::uint32_t>(epoch)}, dropped,
        out);
}

void SupervisedDraws::shifts(std::int64_t epoch, std::int64_t batch, int frames, int places,
                             std::span<MapShift> out) const {
    for (std::size_t r = 0; r < out.size(); ++r) {
        const kernels::PhiloxWords words = words_of(seed_, kShiftDraw, epoch, batch, r);
        out[r] = {shift_of(words.w0, frames), shift_of(words.w1, places)};
    }
}

void SupervisedDraws::noise(std::int64_t epoch, std::int64_t batch, float deviation,
                            std::span<float> out) const {
    for (std::size_t i = 0; i < out.size(); i += 2) {
        const kernels::PhiloxWords words = words_of(seed_, kNoiseDraw, epoch, batch, i / 2);
        const auto pair = kernels::normal_pair(words.w0, words.w1);
        out[i] = deviation * static_cast<float>(pair.first);
        if (i + 1 < out.size()) out[i + 1] = deviation * static_cast<float>(pair.second);
    }
}

}  // namespace nightshift::jobs
