#include <algorithm>
#include <cstdint>
#include <utility>

#include "kernels/cpu/each_variant.h"
#include "kernels/cpu/score_keys.h"
#include "kernels/metrics.h"

namespace nightshift::kernels {

namespace {

constexpr std::uint32_t kDrawnTogether = 256;

struct ClassStream {
    std::uint64_t key;
    std::uint32_t kind, side, resample;
};

#define NIGHTSHIFT_BODY "kernels/cpu/metrics_resample.inc"
#include "kernels/cpu/each_variant.inc"

struct Loops {
    void (*draw_members)(const ClassStream&, std::uint32_t, std::uint32_t, std::uint32_t*);
    void (*count_places)(const std::uint32_t*, std::size_t, const std::uint32_t*, std::uint32_t*);
    std::uint64_t (*sum_gains)(const std::uint32_t*, std::size_t, const std::uint32_t*, const std::uint32_t*);
};

Loops loops_of(CpuVariant variant) {
    return {NIGHTSHIFT_VARIANT_OF(draw_members, variant), NIGHTSHIFT_VARIANT_OF(count_places, variant),
            NIGHTSHIFT_VARIANT_OF(sum_gains, variant)};
}

/// A score with what the resample at hand has of each run.
struct Weights {
    ResampleRuns runs;
    std::vector<std::uint32_t> counts, gains;
    std::uint64_t twice = 0;  ///< pairs won, ties one half, times two

    explicit Weights(ResampleRuns of) : runs(std::move(of)), counts(runs.runs), gains(runs.runs) {}

    /// What a row of the larger class is worth, see ResampleRuns.
    void weigh(bool few_are_positive) {
        std::uint32_t sum = 0;
        for (std::size_t k = 0; k < counts.size(); ++k) {
            const std::size_t r = few_are_positive ? k : counts.size() - 1 - k;
            gains[r] = 2 * sum + counts[r];
            sum += counts[r];
        }
    }
};

/// Calls take(members, drawn) with the members of one class that a resample draws, part after part.
template <typename Take>
void draw_class(const Loops& loops, const ClassStream& stream, std::size_t count, const Take& take) {
    alignas(64) std::uint32_t members[kDrawnTogether];
    for (std::size_t at = 0; at < count; at += kDrawnTogether) {
        loops.draw_members(stream, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(count),
                           members);
        take(members, std::min<std::size_t>(kDrawnTogether, count - at));
    }
}

}  // namespace

void resampled_areas(std::span<const ClassPlaces> scores, const ResampleStream& stream, std::uint32_t first,
                     std::span<double> areas) {
    if (scores.empty()) return;
    const ResampleRows rows = resample_rows(scores);
    const bool few_are_positive = rows.few_are_positive();
    std::vector<Weights> weights;
    for (const ClassPlaces& each : scores) weights.emplace_back(resample_runs(each, rows));
    const Loops loops = loops_of(cpu_variant());
    for (std::size_t row = 0; row + scores.size() <= areas.size(); row += scores.size(), ++first) {
        const std::uint32_t few_side = few_are_positive ? 1 : 0;
        for (Weights& each : weights) std::fill(each.counts.begin(), each.counts.end(), 0);
        draw_class(loops, {stream.key, stream.kind, few_side, first}, rows.few(),
                   [&](const std::uint32_t* members, std::size_t drawn) {
                       for (Weights& each : weights)
                           loops.count_places(members, drawn, each.runs.few.data(), each.counts.data());
                   });
        for (Weights& each : weights) each.weigh(few_are_positive), each.twice = 0;
        draw_class(loops, {stream.key, stream.kind, 1 - few_side, first}, rows.many(),
                   [&](const std::uint32_t* members, std::size_t drawn) {
                       for (Weights& each : weights) {
                           each.twice +=
                               loops.sum_gains(members, drawn, each.runs.many.data(), each.gains.data());
                       }
                   });
        for (std::size_t k = 0; k < weights.size(); ++k) areas[row + k] = rows.area(weights[k].twice);
    }
}

}  // namespace nightshift::kernels
