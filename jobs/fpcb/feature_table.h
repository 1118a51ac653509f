#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "jobs/fpcb/dataset.h"
#include "jobs/table/table.h"

namespace nightshift::jobs {

/// What `extract` makes of a data set.
struct FeatureTableOptions {
    std::string set = "native";      ///< native, compat21, compat75, compat81
    bool is_float = false;           ///< values as fp32
    bool with_conditioning = false;  ///< native: also the columns that say how a sequence was seen
    bool keeps_idle = false;         ///< native: also columns that are constant or repeat another here
    int threads = 1;
};

/// A column that is not in the table, and why ("constant", "equal to x").
struct DroppedColumn {
    std::string name, reason;
};

/// What is said of a table of features besides its rows.
struct FeatureFacts {
    std::vector<std::string> features;  ///< names of the feature columns
    std::vector<DroppedColumn> dropped;
    std::vector<std::string> skipped;  ///< sequences too short to have features
};

/// Called now and then with the number of finished sequences, by the caller's thread.
using FeatureProgress = std::function<void(std::size_t done)>;
/// Takes the next rows of a table, by the caller's thread. Every piece has the table's columns and notes;
/// there is at least one, which may have no rows. It ends with the call.
using FeatureSink = std::function<void(const Table& piece)>;

/// native: one row a sequence, sequence, name, scenario, goal, label, split, event_frame, then features
/// without those that are constant or equal to an earlier one over the data set; all in one piece. compat:
/// sequence, frame, then the reference's columns in its order; compat81 adds a row a sequence with frame =
/// nan; in pieces of about kPieceRows, so that memory does not grow with the data set. Rows are in the data
/// set's order whatever the number of threads. Throws JobError.
FeatureFacts stream_features(const Dataset& dataset, const FeatureTableOptions& options,
                             const FeatureProgress& progress, const FeatureSink& sink);

/// What is known of each sequence, one row each: sequence, scenario, goal, label, split, event_frame, ...
Table sequences_table(const Dataset& dataset);

}  // namespace nightshift::jobs
