#pragma once

#include <string>

#include "jobs/fpcb/compat_bundle.h"

namespace nightshift::jobs {

/// compat_metadata(), and in `info`, whose frames are known, what apply_metadata() reads from such a text.
/// Any thread.
std::string compat_metadata_into(const CompatSequence& sequence, SequenceInfo& info);

}  // namespace nightshift::jobs
