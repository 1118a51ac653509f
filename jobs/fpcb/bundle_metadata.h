#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "jobs/fpcb/dataset.h"

namespace nightshift::jobs {

/// Fills scale, label, split, goal, scenario, seed, noise and event of a bundle from its metadata.json.
/// Text that is no JSON object, or fields of another type, leave the defaults: the reference does so too.
void apply_metadata(std::string_view text, SequenceInfo& info);
/// The same of what such a text says.
void apply_metadata_members(const nlohmann::ordered_json& root, SequenceInfo& info);

/// metadata.json of a generated sequence: the reference's keys as far as they have a meaning here, and
/// the true event frame.
std::string metadata_text(const SequenceInfo& info);

}  // namespace nightshift::jobs
