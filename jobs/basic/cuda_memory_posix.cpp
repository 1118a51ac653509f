#include "jobs/basic/cuda_memory.h"

#include <cstddef>
#include <string>

#include <dlfcn.h>

#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {
namespace {

// Types of the CUDA driver API (cuda.h), which is not needed to build this.
using CuResult = int;
using CuDevice = int;
using CuContext = void*;
using CuPointer = unsigned long long;
constexpr CuResult kOutOfMemory = 2;

template <typename Function>
Function* find_symbol(void* library, const char* name) {
    auto* found = reinterpret_cast<Function*>(::dlsym(library, name));
    if (found == nullptr)
        throw JobError("no_cuda", std::string("libcuda.so.1 has no ") + name + "; update the driver");
    return found;
}

void require(CuResult result, const std::string& what) {
    if (result == 0) return;
    if (result == kOutOfMemory)
        throw JobError("out_of_memory", what + ": the GPU has not that much free memory");
    throw JobError("no_cuda", what + " failed with CUDA error " + std::to_string(result));
}

}  // namespace

struct CudaMemory::Driver {
    void* library = nullptr;
    CuDevice device = 0;
    CuContext context = nullptr;
    CuPointer pointer = 0;
    Bytes bytes;
    unsigned char value = 0;

    explicit Driver(Bytes wanted) : library(::dlopen("libcuda.so.1", RTLD_NOW)), bytes(wanted) {
        if (library == nullptr) throw JobError("no_cuda", "no NVIDIA driver (libcuda.so.1) on this machine");
        require(find_symbol<CuResult(unsigned)>(library, "cuInit")(0), "cuInit");
        require(find_symbol<CuResult(CuDevice*, int)>(library, "cuDeviceGet")(&device, 0), "cuDeviceGet");
        require(find_symbol<CuResult(CuContext*, CuDevice)>(library, "cuDevicePrimaryCtxRetain")(&context,
                                                                                                 device),
                "cuDevicePrimaryCtxRetain");
        require(find_symbol<CuResult(CuContext)>(library, "cuCtxSetCurrent")(context), "cuCtxSetCurrent");
        require(find_symbol<CuResult(CuPointer*, std::size_t)>(library, "cuMemAlloc_v2")(
                    &pointer, static_cast<std::size_t>(bytes.value)),
                "allocating " + format_bytes(bytes));
    }
};

CudaMemory::CudaMemory(Bytes bytes) : driver_(std::make_unique<Driver>(bytes)) {
    touch();
}

// The process ends right after a burn; the driver takes everything back with it.
CudaMemory::~CudaMemory() {
    if (auto* release =
            reinterpret_cast<CuResult (*)(CuPointer)>(::dlsym(driver_->library, "cuMemFree_v2"))) {
        release(driver_->pointer);
    }
}

void CudaMemory::touch() {
    auto* set =
        find_symbol<CuResult(CuPointer, unsigned char, std::size_t)>(driver_->library, "cuMemsetD8_v2");
    auto* wait = find_symbol<CuResult()>(driver_->library, "cuCtxSynchronize");
    require(set(driver_->pointer, ++driver_->value, static_cast<std::size_t>(driver_->bytes.value)),
            "cuMemsetD8");
    require(wait(), "cuCtxSynchronize");
}

}  // namespace nightshift::jobs
