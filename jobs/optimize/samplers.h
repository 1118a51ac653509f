#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "jobs/optimize/search_space.h"

namespace nightshift::jobs {

/// A point that was tried. `value`: higher is better; NaN = it could not be evaluated.
struct Trial {
    Point point;
    double value = 0;
};

/// Every point of the grid, the last dimension fastest. Throws JobError("bad_param") above 100,000 points.
std::vector<Point> grid_points(const SearchSpace& space);

/// A point drawn evenly (by ratios where a dimension says so). A pure function of seed and number.
Point random_point(const SearchSpace& space, std::uint64_t seed, std::int64_t number);

struct TpeOptions {
    int startup = 10;     ///< trials drawn at random before anything is learnt
    int candidates = 24;  ///< of which the most promising is taken, for each dimension
};

/// The next point by the tree-structured Parzen estimator (Bergstra, Bardenet, Bengio, Kegl: Algorithms for
/// Hyper-Parameter Optimization, NIPS 2011), each dimension for itself: the best tenth of the trials (at most
/// 25) makes one density, the others a second one; of some draws from the first the one with the largest
/// ratio is taken. A pure function of the trials, the seed and their number, so a search that was interrupted
/// goes on as if it had not been.
Point tpe_point(const SearchSpace& space, std::span<const Trial> done, std::uint64_t seed,
                const TpeOptions& options = {});

}  // namespace nightshift::jobs
