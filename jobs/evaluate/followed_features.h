#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "jobs/evaluate/baselines.h"

namespace nightshift::jobs {

/// Spearman's rank correlation of a model's scores with each feature over `which` units (ties share their
/// mean rank), the strongest `most` first; features without spread are left out. It says what a score goes
/// along with, not what it was computed from. Of more than kFollowedUnitsMax units evenly spread ones count.
std::vector<FollowedFeature> followed_features(const std::vector<double>& scores,
                                               const UnitFeatures& features,
                                               const std::vector<std::size_t>& which, std::size_t most = 8);

inline constexpr std::size_t kFollowedUnitsMax = 5000;

}  // namespace nightshift::jobs
