// The refusals of what pictures need where nvcc is missing.
#include "kernels/cuda/absent.h"
#include "kernels/histogram.h"
#include "kernels/letterbox.h"
#include "kernels/nms.h"
#include "kernels/normalise.h"
#include "kernels/top_k.h"

namespace nightshift::kernels {

LetterboxPlace letterbox_cuda(Backend&, const TensorView<const std::uint8_t, 3>&, const TensorView<float, 3>&,
                              const LetterboxParams&) {
    refuse_cuda();
}
void normalise_cuda(Backend&, const TensorView<const std::uint8_t, 3>&, const TensorView<float, 3>&,
                    const PixelScale&) {
    refuse_cuda();
}
void normalise_cuda(Backend&, const TensorView<const float, 3>&, const TensorView<float, 3>&,
                    const PixelScale&) {
    refuse_cuda();
}
std::vector<std::int64_t> nms_cuda(Backend&, const TensorView<const float, 2>&,
                                   const TensorView<const float, 1>&,
                                   const TensorView<const std::int32_t, 1>&, const NmsParams&) {
    refuse_cuda();
}
TopK top_k_cuda(Backend&, const TensorView<const float, 2>&, std::int64_t) {
    refuse_cuda();
}
ByteCounts byte_histogram_cuda(Backend&, const TensorView<const std::uint8_t, 2>&) {
    refuse_cuda();
}
ValueCounts value_histogram_cuda(Backend&, const TensorView<const float, 2>&, const BinRange&) {
    refuse_cuda();
}

}  // namespace nightshift::kernels
