// The refusals of the search kernels where nvcc is missing.
#include "kernels/coreset.h"
#include "kernels/device.h"
#include "kernels/error.h"
#include "kernels/knn.h"

namespace nightshift::kernels {
namespace {

[[noreturn]] void refuse() {
    throw DeviceError(std::string(cuda_unavailable_reason()) + "; use --device cpu");
}

}  // namespace

Neighbours knn_cuda(Rows<double>, Rows<double>, int) {
    refuse();
}
Neighbours knn_cuda(Rows<float>, Rows<float>, int) {
    refuse();
}
Coreset greedy_coreset_cuda(Rows<double>, std::int64_t, std::int64_t, const CoresetProgress&) {
    refuse();
}

}  // namespace nightshift::kernels
