#include "jobs/runtime/compute_backend.h"

#include <string>

#include "kernels/device.h"

namespace nightshift::jobs {

std::shared_ptr<kernels::Backend> gpu_backend(JobContext& context) {
    if (context.device() != ComputeDevice::kCuda) return nullptr;
    if (!kernels::cuda_available()) {
        context.log("warning: computing on the CPU: " + std::string(kernels::cuda_unavailable_reason()));
        return nullptr;
    }
    const Bytes budget = context.vram_budget();
    if (budget.value <= 0) return kernels::make_cuda_backend(kernels::kNoBudget);
    if (budget <= kCudaContext) {
        throw JobError("out_of_memory",
                       "a vram budget of " + std::to_string(budget.value >> 20) +
                           " MiB has no room beside the " + std::to_string(kCudaContext.value >> 20) +
                           " MiB of CUDA's own context; submit the job with more vram, or with device cpu");
    }
    return kernels::make_cuda_backend(static_cast<std::size_t>(budget.value - kCudaContext.value));
}

std::shared_ptr<kernels::Backend> compute_backend(JobContext& context) {
    if (auto backend = gpu_backend(context)) return backend;
    return kernels::make_cpu_backend(context.threads());
}

void report_memory(JobContext& context, const kernels::Backend& backend) {
    if (backend.info().kind != kernels::BackendKind::cuda) return;
    const kernels::BackendMemory memory = backend.memory();
    context.claim(Bytes{static_cast<std::int64_t>(memory.peak_bytes)} + kCudaContext);
    context.log("GPU memory of our kernels: at most " + kernels::bytes_in_words(memory.peak_bytes) +
                (memory.budget_bytes == kernels::kNoBudget
                     ? std::string()
                     : " of " + kernels::bytes_in_words(memory.budget_bytes)));
}

}  // namespace nightshift::jobs
