// The refusals of the model kernels where nvcc is missing.
#include "kernels/coreset.h"
#include "kernels/cuda/absent.h"
#include "kernels/dream_run.h"
#include "kernels/dream_step.h"
#include "kernels/knn.h"

namespace nightshift::kernels {

Neighbours knn_cuda(Backend&, Rows<double>, Rows<double>, int) {
    refuse_cuda();
}
Neighbours knn_cuda(Backend&, Rows<float>, Rows<float>, int) {
    refuse_cuda();
}
Coreset greedy_coreset_cuda(Backend&, Rows<double>, std::int64_t, std::int64_t, const CoresetProgress&) {
    refuse_cuda();
}
void dream_forward_cuda(Backend&, const DreamNetShape&, std::span<const float>, float, std::span<const float>,
                        const DreamNetOutput&) {
    refuse_cuda();
}
std::unique_ptr<DreamRun> make_dream_run_cuda(Backend&, const DreamRunOptions&, std::span<const float>) {
    refuse_cuda();
}
std::unique_ptr<DreamStep> make_dream_step_cuda(Backend&, const DreamStepOptions&) {
    refuse_cuda();
}

}  // namespace nightshift::kernels
