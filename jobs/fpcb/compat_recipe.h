#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "jobs/fpcb/compat_bundle.h"
#include "jobs/fpcb/dataset_recipe.h"

namespace nightshift::jobs {

inline constexpr int kCompatFrames = 60;

/// The public reference's data set, draw by draw: the shuffles of the six groups' splits first, then class by
/// class and sequence by sequence the event that only its metadata knows, points, noise, length and, for the
/// normal classes, pixels per mm. Its sequences' own seeds depend on their numbers alone.
std::vector<CompatSequence> compat_dataset(const ClassCounts& counts, std::uint64_t seed);

/// manifest.json as the reference's data set script writes it with one worker; `created_at` is its only
/// line that differs between two runs. Entries without a goal, label or split leave those out.
std::string compat_manifest(const std::vector<CompatSequence>& sequences, const std::string& created_at);

}  // namespace nightshift::jobs
