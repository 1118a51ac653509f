#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "jobs/fpcb/dataset.h"
#include "kernels/panel_recipe.h"

namespace nightshift::jobs {

inline constexpr std::int64_t kGeneratedSequencesMax = 10'000'000;

/// How many sequences of each class, in the order of kernels::PanelClass.
using ClassCounts = std::array<std::int64_t, kernels::kPanelClasses>;

/// Counts of small (125), default (1,180), 10k (9,500), 100k (100,000), as in the public reference.
ClassCounts preset_counts(std::string_view preset);

/// Counts given class by class; throws JobError("bad_param") for an unknown class, with the nearest one,
/// for a negative count and for nothing at all.
ClassCounts counts_of(const nlohmann::json& counts);

/// One sequence of a data set to be generated.
struct PlannedSequence {
    kernels::PanelClass panel;
    std::uint32_t index;      ///< in its class, from 0
    std::string name;         ///< "crack_in_bending/crack_0001"
    Split split;
};

/// Every sequence in order, with its split: per group floor(.70 n) training, floor(.15 n) validation, rest
/// test, shuffled by Philox. Groups are the reference's: crack and uv_overcured are one.
std::vector<PlannedSequence> plan_dataset(const ClassCounts& counts, std::uint64_t seed);

std::string_view goal_of(kernels::PanelClass panel);   ///< "normal", "goal1", "goal2", "variant"

/// What the manifest and the shards say of a planned sequence; frames, fps and seed are filled in too.
SequenceInfo info_of(const PlannedSequence& planned, const kernels::PanelRecipe& recipe, std::int64_t id,
                     int units_per_pixel);

}  // namespace nightshift::jobs
