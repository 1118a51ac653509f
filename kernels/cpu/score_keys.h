#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/metrics.h"
#include "kernels/philox.h"

/// What metrics.h shares between the devices.
namespace nightshift::kernels {

/// Bits of a score as an integer that rises as scores fall; its own inverse. 0 comes right before -0.
NIGHTSHIFT_HD inline std::uint64_t score_key(std::uint64_t bits) {
    return bits >> 63 != 0 ? bits : bits ^ 0x7fff'ffff'ffff'ffff;
}

/// Throws std::invalid_argument where score_steps() does.
void check_ranked(std::span<const int> labels, std::span<const double> scores);

/// One score with its steps joined to runs. Steps that follow each other and hold rows of one and the same
/// class alone win and lose the same pairs whatever is drawn, so good scores have few runs. The class of
/// fewer rows is counted by run, and each row of the other adds what the counts say its run is worth: twice
/// the counted rows that it loses to (counted are positives) or beats (counted are negatives), and once those
/// beside it.
struct ResampleRuns {
    std::vector<std::uint32_t> few, many;  ///< run of every row of a class
    std::uint32_t runs = 0;
};

/// Rows that all scores of a resample have.
struct ResampleRows {
    std::size_t positives = 0, negatives = 0;

    bool few_are_positive() const { return positives <= negatives; }
    std::size_t few() const { return few_are_positive() ? positives : negatives; }
    std::size_t many() const { return few_are_positive() ? negatives : positives; }
    /// twice: pairs that the positives won, ties one half, times two.
    double area(std::uint64_t twice) const {
        return static_cast<double>(twice) / 2 /
               (static_cast<double>(positives) * static_cast<double>(negatives));
    }
};

/// Throws std::invalid_argument where resampled_areas() does. At least one score.
ResampleRows resample_rows(std::span<const ClassPlaces> scores);
ResampleRuns resample_runs(const ClassPlaces& places, const ResampleRows& rows);

}  // namespace nightshift::kernels
