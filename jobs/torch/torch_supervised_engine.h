#pragma once

#include <memory>

#include "jobs/models/supervised_engine.h"

namespace nightshift::jobs {

/// Loss and gradient by LibTorch's own operations and automatic differentiation.
/// Throws JobError("engine_missing") where CUDA is wanted and LibTorch has none that works here.
std::unique_ptr<SupervisedEngine> make_torch_supervised_engine(const SupervisedEngineOptions& options);

}  // namespace nightshift::jobs
