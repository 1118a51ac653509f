#pragma once

namespace nightshift::jobs {

/// Loads the CUDA half of LibTorch (libtorch_cuda), found beside libtorch_cpu. Call it before anything
/// else asks for CUDA: whoever asks first fixes the answer for the life of the process. False where it
/// is missing or does not load; later calls give the first answer. Any thread.
bool load_torch_cuda();

}  // namespace nightshift::jobs
