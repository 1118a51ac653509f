#pragma once

#include <cuda_runtime_api.h>

#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/backend.h"
#include "kernels/launch_times.h"

namespace nightshift::kernels::cuda {

/// Pinned memory of the host that copies go through, and the event after which it may be used again. Ends
/// when its stream has nothing left to do.
class Staging {
  public:
    Staging() = default;
    ~Staging();
    Staging(const Staging&) = delete;
    Staging& operator=(const Staging&) = delete;

    std::byte* bytes = nullptr;
    cudaEvent_t is_free = nullptr;
};

/// The Backend of a CUDA device, with what ops need of it besides. Device memory comes from one pool.
class CudaBackend final : public Backend {
  public:
    explicit CudaBackend(std::size_t budget_bytes);
    ~CudaBackend() override;
    CudaBackend(const CudaBackend&) = delete;
    CudaBackend& operator=(const CudaBackend&) = delete;

    const BackendInfo& info() const override { return info_; }
    BackendMemory memory() const override { return ledger_.memory(); }
    void* allocate(std::size_t bytes, std::string_view owner) override;
    void release(void* data) noexcept override;
    void upload(void* to, const void* from, std::size_t bytes) override;
    void download(void* to, const void* from, std::size_t bytes) override;
    void synchronize() override;

    /// Never the default stream.
    cudaStream_t stream() const { return stream_; }
    /// Names the op that runs from now on in errors; "" where none does.
    void set_op(std::string words) { op_ = std::move(words); }
    /// See launch_times.h.
    void time_launches(bool is_on) { is_timed_ = is_on; }
    std::vector<LaunchTime> launch_times();
    /// Begins the timing of a launch, and ends it; nothing where none is wanted.
    void begin_launch(const char* kernel);
    void end_launch();
    /// Launches are recorded, not done: they cannot be timed.
    void set_recording(bool is_recording) { is_recording_ = is_recording; }
    /// Throws DeviceError with the op, `call`, the driver's words, the stream and the last allocation.
    void check(cudaError_t code, const char* call) const;

  private:
    static constexpr std::size_t kStagingBytes = std::size_t{4} << 20;

    /// The pinned buffer of copy `number`, when its last copy is done. Made at the first use.
    Staging& staging(std::size_t number);
    cudaError_t take(void** data, std::size_t bytes);

    BackendInfo info_;
    MemoryLedger ledger_;
    cudaStream_t stream_ = nullptr;
    cudaMemPool_t pool_ = nullptr;
    std::array<Staging, 2> staging_;
    std::size_t copies_ = 0;                                     ///< pieces that went through the staging
    std::map<void*, std::pair<std::size_t, std::string>> held_;  ///< bytes and owner
    std::string op_, last_allocation_ = "none";
    struct TimedLaunch {
        std::string kernel;
        cudaEvent_t begin = nullptr, end = nullptr;
    };
    cudaEvent_t recorded_event();
    bool is_timed_ = false, is_recording_ = false;
    std::vector<TimedLaunch> timed_;
};

/// An op's own view of its Backend: names itself in errors while it lives. Throws std::invalid_argument where
/// the Backend is not CUDA's.
class Op {
  public:
    /// name: "knn"; shapes: "bank [1000, 81], queries [50, 81], k 5".
    Op(Backend& backend, std::string_view name, std::string_view shapes);
    ~Op() { backend_.set_op({}); }
    Op(const Op&) = delete;
    Op& operator=(const Op&) = delete;

    CudaBackend& backend() const { return backend_; }
    cudaStream_t stream() const { return backend_.stream(); }
    void check(cudaError_t code, const char* call) const { backend_.check(code, call); }
    /// Sets bytes on the device; in order with everything else.
    void fill(void* data, int byte, std::size_t bytes) const;

  private:
    CudaBackend& backend_;
};

}  // namespace nightshift::kernels::cuda
