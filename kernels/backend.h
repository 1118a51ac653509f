#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "kernels/memory_ledger.h"

namespace nightshift::kernels {

enum class BackendKind { cpu, cuda };

struct BackendInfo {
    BackendKind kind = BackendKind::cpu;
    std::string name;              ///< "cpu", or the card's own name
    int threads = 1;               ///< that an op may use; of the CPU
    std::size_t total_bytes = 0;   ///< of the card; 0 for the CPU
    int compute_capability = 0;    ///< 75 = 7.5; 0 for the CPU
    int multiprocessors = 0;       ///< 0 for the CPU
    std::size_t shared_bytes = 0;  ///< a block can have, opted in; 0 for the CPU
};

/// A device with a byte budget, and nothing else: ops are free functions that take one (dispatch.cpp is the
/// one switch between them), so that an op never touches this class. A Backend has one stream; what is asked
/// of it happens in order. One thread at a time. Throws DeviceError, after which only release() and the
/// destructor are of use.
class Backend {
  public:
    virtual ~Backend() = default;
    virtual const BackendInfo& info() const = 0;
    virtual BackendMemory memory() const = 0;
    /// Bytes that were never set, aligned to 256. `owner` names them in errors, "knn.bank". Throws OverBudget
    /// where the budget is too small; then nothing changed.
    virtual void* allocate(std::size_t bytes, std::string_view owner) = 0;
    /// What allocate() gave; nullptr is nothing. After the work that was asked for before.
    virtual void release(void* data) noexcept = 0;
    /// From the host to the device. `from` may be reused at once. Sizes of 0 are nothing.
    virtual void upload(void* to, const void* from, std::size_t bytes) = 0;
    /// From the device to the host; the bytes are there when it returns.
    virtual void download(void* to, const void* from, std::size_t bytes) = 0;
    /// Waits until everything that was asked for is done. Errors of earlier work are thrown here, too.
    virtual void synchronize() = 0;
};

inline constexpr std::size_t kNoBudget = ~std::size_t{0};

/// Host memory. `threads` <= 0 means 1.
std::unique_ptr<Backend> make_cpu_backend(int threads, std::size_t budget_bytes = kNoBudget);

/// The current CUDA device. Device memory comes from a pool of its own whose size the driver caps at the
/// budget too; the context of the process (some 300 MiB) and the kernels' code do not count: leave room.
/// Copies go through two pinned buffers, so that the host fills one while the other travels. Throws
/// DeviceError where the build has no CUDA or no GPU answers.
std::unique_ptr<Backend> make_cuda_backend(std::size_t budget_bytes);

}  // namespace nightshift::kernels
