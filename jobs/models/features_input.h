#pragma once

#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "jobs/fpcb/dataset.h"
#include "jobs/models/feature_builder.h"
#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {

/// What a kind's `features` and `dataset` parameters stand for.
struct FeaturesInput {
    FeatureSet set;
    Table table;                       ///< its columns that are no features, see FeatureBuilder
    std::unique_ptr<Dataset> dataset;  ///< where one was given
};

/// Reads `features` (a table). Rows of sequences are described by `dataset` where it is given, else by the
/// table's own columns or the `sequences.csv` beside it. Without `features` the data set's features of `set`
/// are extracted here, all of them, so that a model finds what it was trained on.
/// Throws JobError("missing_param") where neither is given, and what the readers throw.
FeaturesInput read_features(JobContext& context, const nlohmann::json& params, const ColumnChoice& columns,
                            const std::string& set = "native");

/// Where rows that do not fit into memory lie while this job runs.
RowRoom row_room(const JobContext& context);

/// True if rows are normalised: as `normalize` says; without it where rows belong to sequences.
bool wants_normalizer(const nlohmann::json& params, const FeatureSet& set);

}  // namespace nightshift::jobs
