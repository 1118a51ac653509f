#include "jobs/torch/torch_cuda.h"

#include <dlfcn.h>

namespace nightshift::jobs {

bool load_torch_cuda() {
    static const void* const library = ::dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL);
    return library != nullptr;
}

}  // namespace nightshift::jobs
