// The refusals of the model kernels where nvcc is missing.
#include "kernels/coreset.h"
#include "kernels/device.h"
#include "kernels/dream_run.h"
#include "kernels/dream_step.h"
#include "kernels/error.h"
#include "kernels/knn.h"

namespace nightshift::kernels {
namespace {

[[noreturn]] void refuse() {
    throw DeviceError(std::string(cuda_unavailable_reason()) + "; use --device cpu");
}

}  // namespace

Neighbours knn_cuda(Backend&, Rows<double>, Rows<double>, int) {
    refuse();
}
Neighbours knn_cuda(Backend&, Rows<float>, Rows<float>, int) {
    refuse();
}
Coreset greedy_coreset_cuda(Backend&, Rows<double>, std::int64_t, std::int64_t, const CoresetProgress&) {
    refuse();
}
void dream_forward_cuda(Backend&, const DreamNetShape&, std::span<const float>, float, std::span<const float>,
                        const DreamNetOutput&) {
    refuse();
}
std::unique_ptr<DreamRun> make_dream_run_cuda(Backend&, const DreamRunOptions&, std::span<const float>) {
    refuse();
}
std::unique_ptr<DreamStep> make_dream_step_cuda(Backend&, const DreamStepOptions&) {
    refuse();
}

}  // namespace nightshift::kernels
