#pragma once

#include <c10/core/Device.h>

namespace nightshift::jobs {

/// The first GPU, or the CPU. Throws JobError("engine_missing") where CUDA is wanted and LibTorch has none
/// that works here.
at::Device torch_device(bool use_cuda);

}  // namespace nightshift::jobs
