// The refusals of what pictures need where nvcc is missing.
#include "kernels/device.h"
#include "kernels/error.h"
#include "kernels/histogram.h"
#include "kernels/letterbox.h"
#include "kernels/nms.h"
#include "kernels/normalise.h"
#include "kernels/top_k.h"

namespace nightshift::kernels {
namespace {

[[noreturn]] void refuse() {
    throw DeviceError(std::string(cuda_unavailable_reason()) + "; use --device cpu");
}

}  // namespace

LetterboxPlace letterbox_cuda(Backend&, const TensorView<const std::uint8_t, 3>&, const TensorView<float, 3>&,
                              const LetterboxParams&) {
    refuse();
}
void normalise_cuda(Backend&, const TensorView<const std::uint8_t, 3>&, const TensorView<float, 3>&,
                    const PixelScale&) {
    refuse();
}
void normalise_cuda(Backend&, const TensorView<const float, 3>&, const TensorView<float, 3>&,
                    const PixelScale&) {
    refuse();
}
std::vector<std::int64_t> nms_cuda(Backend&, const TensorView<const float, 2>&,
                                   const TensorView<const float, 1>&,
                                   const TensorView<const std::int32_t, 1>&, const NmsParams&) {
    refuse();
}
TopK top_k_cuda(Backend&, const TensorView<const float, 2>&, std::int64_t) {
    refuse();
}
ByteCounts byte_histogram_cuda(Backend&, const TensorView<const std::uint8_t, 2>&) {
    refuse();
}
ValueCounts value_histogram_cuda(Backend&, const TensorView<const float, 2>&, const BinRange&) {
    refuse();
}

}  // namespace nightshift::kernels
