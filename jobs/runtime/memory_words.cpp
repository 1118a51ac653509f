#include "jobs/runtime/memory_words.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <string>

namespace nightshift::jobs {
namespace {

constexpr std::streamoff kTailBytes = 64 * 1024;

/// What CUDA's runtime and driver, PyTorch, JAX, TensorFlow, CuPy and cuBLAS print.
constexpr std::array<std::string_view, 9> kWords = {
    "CUDA out of memory",      "CUDA error: out of memory",    "CUDA_ERROR_OUT_OF_MEMORY",
    "cudaErrorMemoryAllocation", "torch.OutOfMemoryError",     "RESOURCE_EXHAUSTED: Out of memory",
    "OOM when allocating tensor", "cupy.cuda.memory.OutOfMemoryError", "CUBLAS_STATUS_ALLOC_FAILED"};

}  // namespace

bool says_out_of_gpu_memory(std::string_view text) {
    return std::any_of(kWords.begin(), kWords.end(),
                       [text](std::string_view words) { return text.find(words) != std::string_view::npos; });
}

bool log_says_out_of_gpu_memory(const std::filesystem::path& log) {
    std::ifstream file(log, std::ios::binary | std::ios::ate);
    if (!file) return false;
    file.seekg(std::max<std::streamoff>(0, static_cast<std::streamoff>(file.tellg()) - kTailBytes));
    const std::string tail{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    return says_out_of_gpu_memory(tail);
}

}  // namespace nightshift::jobs
