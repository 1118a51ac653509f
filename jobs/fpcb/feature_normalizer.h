#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "jobs/fpcb/dataset.h"
#include "jobs/fpcb/feature_table.h"
#include "jobs/models/normalizer.h"
#include "jobs/table/table_reader.h"

namespace nightshift::jobs {

/// normalizer.json: mean and standard deviation (n - 1) of every feature over the normal training rows (all
/// rows where no split or label is known), columns without spread, dropped columns. It sees rows twice: as
/// they are made, and as they were written. One thread.
class FeatureNormalizer {
  public:
    /// `dataset` must outlive it.
    FeatureNormalizer(const Dataset& dataset, const FeatureTableOptions& options);

    /// Rows as stream_features() makes them, in that order.
    void add(const Table& piece);
    /// After all of them: reads the written table. `progress` is called between its pieces; what it throws
    /// ends the work.
    nlohmann::json finish(TableReader& written, const FeatureFacts& facts,
                          const std::function<void()>& progress);

  private:
    /// Consecutive rows that all count, or do not.
    struct Run {
        std::size_t rows = 0;
        bool counts = false;
    };

    /// Columns `names_` of a piece whose rows are these runs, one after another.
    void add_counted(const Table& piece, const std::vector<Run>& runs);

    std::string set_;
    bool is_float_;
    std::unordered_set<std::string_view> counted_;  ///< sequences
    std::vector<std::string> names_;                ///< columns with numbers, features among them
    std::optional<NormalizerFit> fit_;
    std::vector<Run> runs_;
    std::vector<double> turned_;  ///< rows that are added together
};

}  // namespace nightshift::jobs
