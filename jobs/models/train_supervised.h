#pragma once

#include <memory>

#include <nlohmann/json_fwd.hpp>

#include "jobs/models/supervised_engine.h"
#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {

/// The job of kind train.supervised on the given engine; `params` are complete. Reads features and, where a
/// data set is given, makes maps; trains, saves checkpoints between steps, writes `model/` and `curves.csv`.
/// A run that was preempted and resumed ends with the bits of an undisturbed one (same device and threads).
std::unique_ptr<JobImpl> make_train_supervised(const nlohmann::json& params, SupervisedEngineFactory factory);

}  // namespace nightshift::jobs
