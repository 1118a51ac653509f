#pragma once

namespace nightshift::kernels {

/// True where this build has CUDA kernels and the driver shows at least one usable GPU. Never throws.
bool cuda_available();

/// Why cuda_available() is false, in words ("built without CUDA", the driver's own message); empty if true.
const char* cuda_unavailable_reason();

}  // namespace nightshift::kernels
