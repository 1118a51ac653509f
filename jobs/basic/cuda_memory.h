#pragma once

#include <memory>

#include "scheduler/units.h"

namespace nightshift::jobs {

/// Memory on the first visible GPU through the driver itself (loaded at run time), so that it is there in
/// builds without nvcc too. One thread. Throws JobError("no_cuda", "out_of_memory").
class CudaMemory {
  public:
    explicit CudaMemory(Bytes bytes);
    ~CudaMemory();
    CudaMemory(const CudaMemory&) = delete;
    CudaMemory& operator=(const CudaMemory&) = delete;
    /// Writes all of it, so that it is really there and the GPU has something to do.
    void touch();

  private:
    struct Driver;
    std::unique_ptr<Driver> driver_;
};

}  // namespace nightshift::jobs
