#include <algorithm>
#include <stdexcept>

#include "kernels/cpu/score_keys.h"

namespace nightshift::kernels {

ResampleRows resample_rows(std::span<const ClassPlaces> scores) {
    const ResampleRows rows{scores[0].positives.size(), scores[0].negatives.size()};
    for (const ClassPlaces& each : scores) {
        const bool is_same =
            each.positives.size() == rows.positives && each.negatives.size() == rows.negatives;
        if (!is_same || rows.positives == 0 || rows.negatives == 0 ||
            rows.positives + rows.negatives > kRankedRowsMax)
            throw std::invalid_argument("resampled scores need the same rows, and some of both classes");
    }
    return rows;
}

ResampleRuns resample_runs(const ClassPlaces& places, const ResampleRows& rows) {
    ResampleRuns out{rows.few_are_positive() ? places.positives : places.negatives,
                     rows.few_are_positive() ? places.negatives : places.positives, 0};
    std::uint32_t last = 0;
    for (const auto* members : {&out.few, &out.many})
        last = std::max(last, *std::max_element(members->begin(), members->end()));
    std::vector<std::uint8_t> classes(std::size_t{last} + 1, 0);
    for (const std::uint32_t step : out.few) classes[step] |= 1;
    for (const std::uint32_t step : out.many) classes[step] |= 2;
    std::vector<std::uint32_t> run(classes.size());
    std::uint8_t before = 0;
    for (std::size_t s = 0; s < run.size(); ++s) {
        if (classes[s] != 0 && (classes[s] == 3 || classes[s] != before)) ++out.runs, before = classes[s];
        run[s] = out.runs - 1;
    }
    for (std::uint32_t& step : out.few) step = run[step];
    for (std::uint32_t& step : out.many) step = run[step];
    return out;
}

}  // namespace nightshift::kernels
