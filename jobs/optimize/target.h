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

/// What a search tries points on. Its input is read when it is made and prepared. The job's thread.
class Target {
  public:
    virtual ~Target() = default;
    /// Reads what every trial needs. False when a stop was asked for meanwhile; it is called again after it.
    /// What it throws ends the search.
    virtual bool prepare(JobContext&) { return true; }
    /// The value of a point, higher is better: a pure function of input and point. Nothing when a stop was
    /// asked for meanwhile; the same point is tried again after it. Throws JobError where this point cannot
    /// be evaluated, which fails the trial and not the search.
    virtual std::optional<double> value(const Point& point, JobContext& context) = 0;
    /// What value() is, for people: "ROC AUC of the validation sequences".
    virtual std::string metric() const = 0;
    /// How the best point does on what the search did not look at, for best.json; null where a target has
    /// nothing to say. Nothing when a stop was asked for meanwhile.
    virtual std::optional<nlohmann::ordered_json> verdict(const Point& best, JobContext& context);
};

/// A row of the table of targets.
struct TargetKind {
    std::string name;
    std::vector<std::string> inputs;  ///< parameters of the job that say what it searches on
    /// What is searched where `space` says nothing else.
    std::function<SearchSpace(const nlohmann::json& params)> space;
    std::function<std::unique_ptr<Target>(const nlohmann::json& params, const SearchSpace& searched,
                                          JobContext& context)>
        make;
};

/// Everything that can be searched. A new target is a row here and a file of its own.
const std::vector<TargetKind>& target_kinds();
/// Throws JobError("bad_param") with the names there are.
const TargetKind& find_target(const std::string& name);

/// Throws JobError("bad_param") for an input of another target, which would change nothing.
void refuse_foreign_inputs(const TargetKind& kind, const nlohmann::json& params);

TargetKind cpd_target();
TargetKind dream_target();
TargetKind patchcore_target();
TargetKind risk_target();

}  // namespace nightshift::jobs
