#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "jobs/fpcb/dataset.h"
#include "jobs/fpcb/feature_table.h"
#include "jobs/table/table.h"
#include "kernels/compat_features.h"

namespace nightshift::jobs {

/// What a sequence's rows of a compat set are made of.
struct CompatSequenceRows {
    std::vector<std::int32_t> frames;
    kernels::CompatFeatures features;
};

/// The reference's rows: compat21, compat75 or compat81, a row a frame, and with compat81 one of the whole
/// sequence, whose frame is NaN.
class CompatRows {
  public:
    /// Both must outlive it.
    CompatRows(const Dataset& dataset, const FeatureTableOptions& options);

    const std::vector<std::string>& features() const { return features_; }

    /// Reads sequence i. Any thread. Throws what Dataset::read() and frame_metrics_of() throw.
    CompatSequenceRows of(std::size_t i) const;

    /// sequence, frame, features: rows of the sequences from `first` on. Good until the next call, which uses
    /// its memory again. One thread.
    const Table& table(const std::vector<CompatSequenceRows>& parts, std::size_t first);

  private:
    bool has_global() const { return options_.set == "compat81"; }
    std::size_t rows_of(const CompatSequenceRows& part) const;
    void put_names(std::vector<Column>& columns, const std::vector<CompatSequenceRows>& parts,
                   std::size_t first, std::size_t rows) const;
    /// Feature j of a sequence: of each frame, then of the whole where the set has such a row.
    template <typename T>
    void put_column(const CompatSequenceRows& part, std::size_t j, T* to) const;

    const Dataset& dataset_;
    const FeatureTableOptions& options_;
    std::vector<std::string> features_;
    std::size_t own_ = 0;  ///< features a frame; the others are of the whole sequence
    Table table_;
};

}  // namespace nightshift::jobs
