#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "jobs/optimize/search_space.h"
#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {

/// What a search tries points on. Its input is read when it is made. The job's thread.
class Target {
  public:
    virtual ~Target() = default;
    /// The value of a point, higher is better: a pure function of input and point. Nothing when a stop was
    /// asked for meanwhile; the same point is tried again after it. Throws JobError where this point cannot
    /// be evaluated, which fails the trial and not the search.
    virtual std::optional<double> value(const Point& point, JobContext& context) = 0;
    /// What value() is, for people: "ROC AUC of the validation sequences".
    virtual std::string metric() const = 0;
};

/// A row of the table of targets.
struct TargetKind {
    std::string name;
    SearchSpace space;  ///< what is searched where the job says nothing else
    std::function<std::unique_ptr<Target>(const nlohmann::json& params, const SearchSpace& searched,
                                          JobContext& context)>
        make;
};

/// Everything that can be searched. A new target is a row here and a file of its own.
const std::vector<TargetKind>& target_kinds();
/// Throws JobError("bad_param") with the names there are.
const TargetKind& find_target(const std::string& name);

TargetKind dream_target();
TargetKind patchcore_target();

}  // namespace nightshift::jobs
