#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "jobs/cpd/series.h"
#include "jobs/fpcb/dataset.h"

namespace nightshift::jobs {

/// A damaged sequence as the reference's evaluation of change points sees it.
struct ReferenceCase {
    Series series;         ///< peak_acceleration()
    int crack_frame = -1;  ///< what its metadata.json calls so: a random number the tracks know nothing of
};

/// `crack_frame` of a sequence's metadata.json; without one the true event frame.
int reference_crack_frame(const Sequence& sequence);

/// The reference's report, field by field: CUSUM with threshold 3 on the raw signal, its window where that
/// finds nothing, and of all alarms the one nearest to the crack frame. An alarm every third frame is always
/// near something: such a figure says nothing about a detector.
nlohmann::ordered_json reference_cpd_report(const std::vector<ReferenceCase>& cases);

}  // namespace nightshift::jobs
