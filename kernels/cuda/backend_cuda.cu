#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>

#include "kernels/cuda/cuda_backend.cuh"
#include "kernels/device.h"
#include "kernels/error.h"

namespace nightshift::kernels::cuda {
namespace {

int attribute(cudaDeviceAttr which, int device) {
    int value = 0;
    return cudaDeviceGetAttribute(&value, which, device) == cudaSuccess ? value : 0;
}

}  // namespace

Staging::~Staging() {
    if (is_free != nullptr) cudaEventDestroy(is_free);
    cudaFreeHost(bytes);
}

CudaBackend::CudaBackend(std::size_t budget_bytes) : ledger_(budget_bytes) {
    set_op("making the backend");
    int device = 0;
    check(cudaGetDevice(&device), "cudaGetDevice");
    cudaDeviceProp properties{};
    check(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
    std::size_t free = 0;
    check(cudaMemGetInfo(&free, &info_.total_bytes), "cudaMemGetInfo");
    info_.kind = BackendKind::cuda;
    info_.name = properties.name;
    info_.compute_capability = 10 * attribute(cudaDevAttrComputeCapabilityMajor, device) +
                               attribute(cudaDevAttrComputeCapabilityMinor, device);
    info_.multiprocessors = std::max(attribute(cudaDevAttrMultiProcessorCount, device), 1);
    info_.shared_bytes = static_cast<std::size_t>(attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin, device));
    cudaMemPoolProps wanted{};
    wanted.allocType = cudaMemAllocationTypePinned;
    wanted.location.type = cudaMemLocationTypeDevice;
    wanted.location.id = device;
    // 0 is the driver's own limit, the whole card.
    wanted.maxSize = budget_bytes >= info_.total_bytes ? 0 : budget_bytes;
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
    const cudaError_t made = cudaMemPoolCreate(&pool_, &wanted);
    if (made == cudaSuccess) {
        // Released memory stays in the pool: asking the driver again would cost a wait each time.
        std::uint64_t keep = budget_bytes;
        cudaMemPoolSetAttribute(pool_, cudaMemPoolAttrReleaseThreshold, &keep);
    } else {
        cudaStreamDestroy(stream_);
        check(made, "cudaMemPoolCreate");
    }
    set_op({});
}

CudaBackend::~CudaBackend() {
    for (const auto& [data, held] : held_) cudaFreeAsync(data, stream_);
    cudaStreamSynchronize(stream_);
    for (const TimedLaunch& each : timed_) {
        cudaEventDestroy(each.begin);
        if (each.end != nullptr) cudaEventDestroy(each.end);
    }
    cudaStreamDestroy(stream_);
    cudaMemPoolDestroy(pool_);
}

void CudaBackend::check(cudaError_t code, const char* call) const {
    if (code == cudaSuccess) return;
    cudaGetLastError();  // what can be put away is not met again by the next call
    char stream[32];
    std::snprintf(stream, sizeof stream, "%p", static_cast<const void*>(stream_));
    throw DeviceError(
        (op_.empty() ? std::string("between ops") : op_) + ": " + call + ": " + cudaGetErrorString(code) +
        " (" + cudaGetErrorName(code) + "), stream " + stream + ", last allocation " + last_allocation_ +
        ", held: " + ledger_.holders() +
        "; the job can be tried again; if that fails the same way, the driver's messages in the "
        "system's log say more");
}

cudaError_t CudaBackend::take(void** data, std::size_t bytes) {
    const cudaError_t code = cudaMallocFromPoolAsync(data, bytes, pool_, stream_);
    if (code != cudaErrorMemoryAllocation) return code;
    // The pool may be in pieces: what was released goes back to the driver first.
    cudaGetLastError();
    cudaStreamSynchronize(stream_);
    cudaMemPoolTrimTo(pool_, 0);
    return cudaMallocFromPoolAsync(data, bytes, pool_, stream_);
}

void* CudaBackend::allocate(std::size_t bytes, std::string_view owner) {
    const std::size_t taken = MemoryLedger::taken(bytes);
    ledger_.take(taken, owner);
    void* data = nullptr;
    const cudaError_t code = take(&data, taken);
    if (code == cudaSuccess) {
        held_[data] = {taken, std::string(owner)};
        last_allocation_ = std::string(owner) + " " + bytes_in_words(taken);
        return data;
    }
    const std::string held = ledger_.holders();
    ledger_.give_back(taken, owner);
    if (code != cudaErrorMemoryAllocation) check(code, "cudaMallocFromPoolAsync");
    cudaGetLastError();
    throw OverBudget("over_budget: the card has no " + bytes_in_words(taken) + " in one piece for " +
                     std::string(owner) + " within " + bytes_in_words(ledger_.memory().budget_bytes) +
                     "; held with it: " + held +
                     "; submit the job with a larger vram budget, or when less else runs on the card");
}

void CudaBackend::release(void* data) noexcept {
    const auto found = held_.find(data);
    if (found == held_.end()) return;
    cudaFreeAsync(data, stream_);
    ledger_.give_back(found->second.first, found->second.second);
    held_.erase(found);
}

Staging& CudaBackend::staging(std::size_t number) {
    Staging& own = staging_[number % staging_.size()];
    if (own.bytes == nullptr) {
        void* bytes = nullptr;
        check(cudaHostAlloc(&bytes, kStagingBytes, cudaHostAllocDefault), "cudaHostAlloc");
        own.bytes = static_cast<std::byte*>(bytes);
        check(cudaEventCreateWithFlags(&own.is_free, cudaEventDisableTiming), "cudaEventCreateWithFlags");
    }
    check(cudaEventSynchronize(own.is_free), "cudaEventSynchronize");
    return own;
}

void CudaBackend::upload(void* to, const void* from, std::size_t bytes) {
    for (std::size_t at = 0; at < bytes; at += kStagingBytes) {
        const std::size_t piece = std::min(kStagingBytes, bytes - at);
        Staging& own = staging(copies_++);
        std::memcpy(own.bytes, static_cast<const std::byte*>(from) + at, piece);
        check(cudaMemcpyAsync(static_cast<std::byte*>(to) + at, own.bytes, piece, cudaMemcpyHostToDevice,
                              stream_),
              "cudaMemcpyAsync to the device");
        check(cudaEventRecord(own.is_free, stream_), "cudaEventRecord");
    }
}

void CudaBackend::download(void* to, const void* from, std::size_t bytes) {
    const auto take_out = [&](std::size_t number, std::size_t at) {
        std::memcpy(static_cast<std::byte*>(to) + at, staging(number).bytes,
                    std::min(kStagingBytes, bytes - at));
    };
    std::size_t last = 0;
    for (std::size_t at = 0; at < bytes; at += kStagingBytes) {
        Staging& own = staging(copies_);
        check(cudaMemcpyAsync(own.bytes, static_cast<const std::byte*>(from) + at,
                              std::min(kStagingBytes, bytes - at), cudaMemcpyDeviceToHost, stream_),
              "cudaMemcpyAsync from the device");
        check(cudaEventRecord(own.is_free, stream_), "cudaEventRecord");
        if (at > 0) take_out(last, at - kStagingBytes);  // while this piece travels
        last = copies_++;
    }
    if (bytes > 0) take_out(last, (bytes - 1) / kStagingBytes * kStagingBytes);
}

void CudaBackend::synchronize() {
    check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
}

cudaEvent_t CudaBackend::recorded_event() {
    cudaEvent_t event = nullptr;
    check(cudaEventCreateWithFlags(&event, cudaEventDefault), "cudaEventCreateWithFlags");
    check(cudaEventRecord(event, stream_), "cudaEventRecord");
    return event;
}

void CudaBackend::begin_launch(const char* kernel) {
    if (is_timed_ && !is_recording_) timed_.push_back({kernel, recorded_event(), nullptr});
}

void CudaBackend::end_launch() {
    if (is_timed_ && !is_recording_) timed_.back().end = recorded_event();
}

std::vector<LaunchTime> CudaBackend::launch_times() {
    synchronize();
    std::map<std::string, LaunchTime> times;
    for (const TimedLaunch& each : timed_) {
        float ms = 0;
        if (each.end != nullptr)
            check(cudaEventElapsedTime(&ms, each.begin, each.end), "cudaEventElapsedTime");
        LaunchTime& sum = times[each.kernel];
        sum.kernel = each.kernel;
        ++sum.launches;
        sum.seconds += static_cast<double>(ms) * 1e-3;
        cudaEventDestroy(each.begin);
        if (each.end != nullptr) cudaEventDestroy(each.end);
    }
    timed_.clear();
    std::vector<LaunchTime> out;
    for (auto& [name, time] : times) out.push_back(std::move(time));
    return out;
}

namespace {

CudaBackend& cuda_of(Backend& backend, std::string_view op) {
    if (auto* const own = dynamic_cast<CudaBackend*>(&backend)) return *own;
    throw std::invalid_argument(std::string(op) + ": the backend is not a CUDA device");
}

}  // namespace

Op::Op(Backend& backend, std::string_view name, std::string_view shapes) : backend_(cuda_of(backend, name)) {
    backend_.set_op(std::string(name) + " (" + std::string(shapes) + ")");
}

void Op::fill(void* data, int byte, std::size_t bytes) const {
    if (bytes > 0) check(cudaMemsetAsync(data, byte, bytes, stream()), "cudaMemsetAsync");
}

}  // namespace nightshift::kernels::cuda

namespace nightshift::kernels {

void time_launches(Backend& backend, bool is_on) {
    if (auto* const own = dynamic_cast<cuda::CudaBackend*>(&backend)) own->time_launches(is_on);
}

std::vector<LaunchTime> launch_times(Backend& backend) {
    auto* const own = dynamic_cast<cuda::CudaBackend*>(&backend);
    return own == nullptr ? std::vector<LaunchTime>{} : own->launch_times();
}

std::unique_ptr<Backend> make_cuda_backend(std::size_t budget_bytes) {
    if (!cuda_available()) throw DeviceError(std::string(cuda_unavailable_reason()) + "; use device cpu");
    return std::make_unique<cuda::CudaBackend>(budget_bytes);
}

}  // namespace nightshift::kernels
