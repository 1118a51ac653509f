#pragma once

#include <memory>

#include "jobs/models/dream_engine.h"

namespace nightshift::jobs {

/// The engine without LibTorch: kernels/dream_step.h, float32, on the options' GPU or else
/// on the CPU, where the number of threads changes no bit.
/// The same losses and gradients as the torch engine to 1e-5 (a test holds both to the reference's numbers).
std::unique_ptr<DreamEngine> make_native_dream_engine(const DreamEngineOptions& options);

}  // namespace nightshift::jobs
