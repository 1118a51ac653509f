#pragma once

#include <memory>

#include "jobs/models/dream_engine.h"

namespace nightshift::jobs {

/// The engine on LibTorch: the definition that other engines are held to.
/// Throws JobError("engine_missing") where CUDA is wanted and LibTorch has none that works here.
std::unique_ptr<DreamEngine> make_torch_dream_engine(const DreamEngineOptions& options);

}  // namespace nightshift::jobs
