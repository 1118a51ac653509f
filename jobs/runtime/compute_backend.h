#pragma once

#include <memory>

#include "jobs/runtime/job_impl.h"
#include "kernels/backend.h"

namespace nightshift::jobs {

/// Of the budget, what CUDA's context and our kernels' code take before any data: they are outside of the
/// Backend's pool. Measured on nothing yet; what PyTorch's users report is 300 to 430 MiB.
inline constexpr Bytes kCudaContext = mebibytes(400);

/// The GPU that the job was given, where this build has kernels for it; else null, and the log says why where
/// the job has one. Its memory is the attempt's budget less kCudaContext; without a budget the card is the
/// limit. Throws JobError("out_of_memory") where the budget has no room beside the context.
std::shared_ptr<kernels::Backend> gpu_backend(JobContext& context);

/// The same, or the CPU with the job's threads; never null.
std::shared_ptr<kernels::Backend> compute_backend(JobContext& context);

/// Reports how much GPU memory the job's own kernels held at most, with CUDA's context: in the log, and as
/// the attempt's peak where the driver does not show one. Nothing for the CPU.
void report_memory(JobContext& context, const kernels::Backend& backend);

}  // namespace nightshift::jobs
