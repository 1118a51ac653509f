#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "jobs/fpcb/dataset.h"
#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {

/// Sequences of `dataset` that a search is tuned on, and those that the winner is judged by: the test split.
/// Without a test split everything is tuned on and nothing is left to judge by. Sequences are numbered from 0
/// within those used. The job's thread.
class JudgedDataset {
  public:
    enum class Classes { kBoth, kDamaged };

    /// Opens it and uses what `is_used` says. kDamaged: the reference's searches, which know neither normal
    /// sequences nor a split. Throws JobError: missing_param, no_labels where a class is missing.
    JudgedDataset(const nlohmann::json& params, JobContext& context,
                  const std::function<bool(const SequenceInfo&)>& is_used, Classes classes);

    std::size_t size() const { return places_.size(); }
    const SequenceInfo& info(std::size_t used) const { return dataset_->info(places_[used]); }
    const std::vector<std::size_t>& tuned() const { return tuned_; }
    const std::vector<std::size_t>& held_out() const { return held_out_; }
    /// "training and validation", or "all labelled" where no split is known.
    std::string tuned_words() const;
    /// What best.json says of the sequences held out: how many, or that there are none.
    nlohmann::ordered_json verdict() const;

    /// Gives every used sequence to `take` once, from several threads; true from the time that all were
    /// given. False when a stop was asked for meanwhile: then all are given again.
    bool read_once(JobContext& context, const std::function<void(std::size_t, const Sequence&)>& take);

  private:
    std::unique_ptr<Dataset> dataset_;
    std::vector<std::size_t> places_, tuned_, held_out_;
    bool is_read_ = false;
};

}  // namespace nightshift::jobs
