#include <algorithm>
#include <cstdint>
#include <stdexcept>

#include "kernels/cpu/each_variant.h"
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

/// One score with its steps joined to runs. Steps that follow each other and hold rows of one and the same
/// class alone win and lose the same pairs whatever is drawn, so good scores have few runs. The class of
/// fewer rows is counted by run, and each row of the other adds what the counts say its run is worth.
struct Runs {
    std::vector<std::uint32_t> few, many;      ///< run of every row of a class
    std::vector<std::uint32_t> counts, gains;  ///< by run, of the resample at hand
    std::uint64_t twice = 0;                   ///< pairs won, ties one half, times two

    Runs(const ClassPlaces& places, bool few_are_positive)
        : few(few_are_positive ? places.positives : places.negatives),
          many(few_are_positive ? places.negatives : places.positives) {
        std::uint32_t last = 0;
        for (const auto* rows : {&few, &many})
            last = std::max(last, *std::max_element(rows->begin(), rows->end()));
        std::vector<std::uint8_t> classes(std::size_t{last} + 1, 0);
        for (const std::uint32_t step : few) classes[step] |= 1;
        for (const std::uint32_t step : many) classes[step] |= 2;
        std::vector<std::uint32_t> run(classes.size());
        std::uint8_t before = 0;
        std::uint32_t runs = 0;
        for (std::size_t s = 0; s < run.size(); ++s) {
            if (classes[s] != 0 && (classes[s] == 3 || classes[s] != before)) ++runs, before = classes[s];
            run[s] = runs - 1;
        }
        for (std::uint32_t& step : few) step = run[step];
        for (std::uint32_t& step : many) step = run[step];
        counts.resize(runs);
        gains.resize(runs);
    }

    /// What a row of the larger class is worth: twice the counted rows it loses to (counted are positives)
    /// or beats (counted are negatives), and once those beside it.
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
    const std::size_t positives = scores[0].positives.size(), negatives = scores[0].negatives.size();
    for (const ClassPlaces& each : scores) {
        const bool is_same = each.positives.size() == positives && each.negatives.size() == negatives;
        if (!is_same || positives == 0 || negatives == 0 || positives + negatives > kRankedRowsMax)
            throw std::invalid_argument("resampled scores need the same rows, and some of both classes");
    }
    const bool few_are_positive = positives <= negatives;
    std::vector<Runs> runs;
    for (const ClassPlaces& each : scores) runs.emplace_back(each, few_are_positive);
    const std::size_t few = std::min(positives, negatives), many = std::max(positives, negatives);
    const double pairs = static_cast<double>(positives) * static_cast<double>(negatives);
    const Loops loops = loops_of(cpu_variant());
    for (std::size_t row = 0; row + scores.size() <= areas.size(); row += scores.size(), ++first) {
        const std::uint32_t few_side = few_are_positive ? 1 : 0;
        for (Runs& each : runs) std::fill(each.counts.begin(), each.counts.end(), 0);
        draw_class(loops, {stream.key, stream.kind, few_side, first}, few,
                   [&](const std::uint32_t* members, std::size_t drawn) {
                       for (Runs& each : runs)
                           loops.count_places(members, drawn, each.few.data(), each.counts.data());
                   });
        for (Runs& each : runs) each.weigh(few_are_positive), each.twice = 0;
        draw_class(loops, {stream.key, stream.kind, 1 - few_side, first}, many,
                   [&](const std::uint32_t* members, std::size_t drawn) {
                       for (Runs& each : runs)
                           each.twice += loops.sum_gains(members, drawn, each.many.data(), each.gains.data());
                   });
        for (std::size_t k = 0; k < runs.size(); ++k)
            areas[row + k] = static_cast<double>(runs[k].twice) / 2 / pairs;
    }
}

}  // namespace nightshift::kernels
