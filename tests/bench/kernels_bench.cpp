// Times kernels on the GPU beside their CPU references, after comparing what both give. Lines:
//   limit NAME numbers_a_second             what the card can do (gpu_limits.h)
//   row NAME cpu_s gpu_s                    the whole op, copies included; medians after one to warm up
//   kernel NAME KERNEL seconds UNIT amount  one kernel by the device's clock, and what it has to do at least
// Prints nothing but a reason where no GPU answers. --share 0.01: of the work, for a device that is emulated.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>
#include <thread>

#include "kernels/device.h"
#include "tests/bench/gpu_case.h"
#include "tests/bench/gpu_limits.h"

int main(int count, char** words) {
    if (!nightshift::kernels::cuda_available()) {
        std::fprintf(stderr, "no GPU: %s\n", nightshift::kernels::cuda_unavailable_reason());
        return 0;
    }
    double share = 1;
    if (count == 3 && std::string_view(words[1]) == "--share") share = std::atof(words[2]);
    if (!(share > 0 && share <= 1)) {
        std::fprintf(stderr, "usage: %s [--share 0..1]\n", words[0]);
        return 64;
    }
    using namespace nightshift::bench;
    const auto gpu = make_cuda_backend(kNoBudget);
    const Machine machine{*gpu, static_cast<int>(std::max(1U, std::thread::hardware_concurrency())), share};
    const GpuLimits limits = gpu_limits(*gpu, share);
    std::printf("limit bytes %.0f\nlimit fp32 %.0f\nlimit fp64 %.0f\nlimit half %.0f\n", limits.bytes,
                limits.fp32, limits.fp64, limits.half);
    try {
        measure_models(machine);
        measure_series(machine);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
