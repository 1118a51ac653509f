#include "jobs/torch/torch_device.h"

#include <ATen/Context.h>

#include "jobs/runtime/job_impl.h"
#include "jobs/torch/torch_cuda.h"

namespace nightshift::jobs {

at::Device torch_device(bool use_cuda) {
    if (!use_cuda) return at::kCPU;
    if (!load_torch_cuda() || !at::hasCUDA() || at::detail::getCUDAHooks().deviceCount() < 1) {
        throw JobError("engine_missing",
                       "LibTorch has no usable CUDA here; run packaging/setup on the machine with the "
                       "GPU, or run the job with --device cpu (vram 0)");
    }
    return {at::kCUDA, 0};
}

}  // namespace nightshift::jobs
