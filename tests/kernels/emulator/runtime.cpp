#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <vector>

#include "tests/kernels/emulator/blocks.h"
#include "tests/kernels/emulator/faults.h"

/// A stream keeps what it is asked until somebody waits for it, so that a result that is read too early is
/// not there. Memory has no values at first, and a border that is looked at when it is released.

struct EmulatedStream {
    std::deque<std::function<void()>> work;
    std::uint64_t asked = 0, done = 0;
    EmulatedGraph* capture = nullptr;
};
struct EmulatedEvent {
    EmulatedStream* stream = nullptr;
    std::uint64_t at = 0;
};
struct EmulatedPool {
    std::size_t most_bytes = 0, held_bytes = 0;
};
struct EmulatedGraph {
    std::vector<std::function<void()>> work;
};

namespace {

using emulator::give_up;

constexpr std::size_t kBorderBytes = 256;
constexpr unsigned char kUnset = 0xff, kBorder = 0xb5;
constexpr std::size_t kDeviceBytes = std::size_t{2} << 30;
constexpr int kMultiprocessors = 2, kSharedBytes = 64 << 10, kThreadsMax = 1024;

struct Allocation {
    std::size_t bytes = 0;
    EmulatedPool* pool = nullptr;  ///< nullptr: pinned memory of the host
};

struct Device {
    std::map<unsigned char*, Allocation> held;
    std::int64_t calls_until_fault = -1;
    cudaError_t fault = cudaSuccess;
    bool has_happened = false;
};

Device& device() {
    static Device own;
    return own;
}

/// Counts a call; not cudaSuccess: the call does nothing and gives this.
cudaError_t called() {
    Device& own = device();
    if (own.calls_until_fault > 0 && --own.calls_until_fault == 0) own.has_happened = true;
    return own.has_happened ? own.fault : cudaSuccess;
}

unsigned char* take(std::size_t bytes, EmulatedPool* pool) {
    auto* const whole = static_cast<unsigned char*>(
        std::aligned_alloc(kBorderBytes, (bytes + 3 * kBorderBytes - 1) / kBorderBytes * kBorderBytes));
    if (whole == nullptr) return nullptr;
    unsigned char* const data = whole + kBorderBytes;
    std::memset(whole, kBorder, kBorderBytes);
    std::memset(data, kUnset, bytes);
    std::memset(data + bytes, kBorder, kBorderBytes);
    device().held[data] = {bytes, pool};
    if (pool != nullptr) pool->held_bytes += bytes;
    return data;
}

void give_back(unsigned char* data) {
    const auto found = device().held.find(data);
    if (found == device().held.end()) give_up("memory is released that nobody holds");
    const Allocation held = found->second;
    for (std::size_t i = 0; i < kBorderBytes; ++i) {
        if (data[held.bytes + i] != kBorder || data[-1 - static_cast<std::ptrdiff_t>(i)] != kBorder)
            give_up("a kernel or copy wrote outside of its memory");
    }
    if (held.pool != nullptr) held.pool->held_bytes -= held.bytes;
    device().held.erase(found);
    std::free(data - kBorderBytes);
}

/// True where the bytes lie in one allocation, of the device or pinned.
bool is_held(const void* at, std::size_t bytes, bool on_device) {
    auto* const data = static_cast<unsigned char*>(const_cast<void*>(at));
    auto found = device().held.upper_bound(data);
    if (found == device().held.begin()) return false;
    --found;
    const std::size_t offset = static_cast<std::size_t>(data - found->first);
    return offset <= found->second.bytes && bytes <= found->second.bytes - offset &&
           (found->second.pool != nullptr) == on_device;
}

cudaError_t ask(EmulatedStream* stream, std::function<void()> work) {
    if (stream == nullptr) return cudaErrorInvalidValue;  // nothing here runs on the default stream
    if (stream->capture != nullptr) {
        stream->capture->work.push_back(std::move(work));
        return cudaSuccess;
    }
    stream->work.push_back(std::move(work));
    ++stream->asked;
    return cudaSuccess;
}

void run_until(EmulatedStream& stream, std::uint64_t at) {
    while (stream.done < at) {
        const std::function<void()> next = std::move(stream.work.front());
        stream.work.pop_front();
        next();
        ++stream.done;
    }
}

}  // namespace

namespace emulator {

ScopedFault::ScopedFault(std::int64_t calls, cudaError_t code) {
    device().calls_until_fault = calls;
    device().fault = code;
    device().has_happened = false;
}
ScopedFault::~ScopedFault() {
    device().calls_until_fault = -1;
    device().has_happened = false;
}
bool ScopedFault::has_happened() const {
    return device().has_happened;
}

std::int64_t allocations_held() {
    return static_cast<std::int64_t>(device().held.size());
}

cudaError_t enqueue(dim3 grid, dim3 block, std::size_t shared_bytes, std::function<void()> body,
                    bool is_cooperative, cudaStream_t stream) {
    if (const cudaError_t code = called(); code != cudaSuccess) return code;
    const auto is_size = [](unsigned n, unsigned most) { return n >= 1 && n <= most; };
    const bool fits = is_size(grid.x, 0x7fffffff) && is_size(grid.y, 65'535) && is_size(grid.z, 65'535) &&
                      is_size(block.x, kThreadsMax) && is_size(block.y, kThreadsMax) &&
                      is_size(block.z, 64) && is_size(block.x * block.y * block.z, kThreadsMax) &&
                      shared_bytes <= static_cast<std::size_t>(kSharedBytes);
    if (!fits) return cudaErrorInvalidConfiguration;
    if (is_cooperative && grid.x * grid.y * grid.z > 2 * kMultiprocessors)
        return cudaErrorCooperativeLaunchTooLarge;
    return ask(stream,
               [=, body = std::move(body)] { run_grid(grid, block, shared_bytes, body, is_cooperative); });
}

}  // namespace emulator

const char* cudaGetErrorName(cudaError_t code) {
    switch (code) {
        case cudaSuccess:
            return "cudaSuccess";
        case cudaErrorInvalidValue:
            return "cudaErrorInvalidValue";
        case cudaErrorMemoryAllocation:
            return "cudaErrorMemoryAllocation";
        case cudaErrorInvalidConfiguration:
            return "cudaErrorInvalidConfiguration";
        case cudaErrorNoDevice:
            return "cudaErrorNoDevice";
        case cudaErrorIllegalAddress:
            return "cudaErrorIllegalAddress";
        case cudaErrorCooperativeLaunchTooLarge:
            return "cudaErrorCooperativeLaunchTooLarge";
        case cudaErrorUnknown:
            return "cudaErrorUnknown";
    }
    return "unrecognized error code";
}
const char* cudaGetErrorString(cudaError_t code) {
    return cudaGetErrorName(code);
}
cudaError_t cudaGetLastError() {
    return device().has_happened ? device().fault : cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int* count) {
    *count = 1;
    return cudaSuccess;
}
cudaError_t cudaGetDevice(int* number) {
    *number = 0;
    return called();
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
    std::snprintf(properties->name, sizeof properties->name, "emulated GPU");
    return called();
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
    switch (attribute) {
        case cudaDevAttrMultiProcessorCount:
            *value = kMultiprocessors;
            break;
        case cudaDevAttrComputeCapabilityMajor:
            *value = 7;
            break;
        case cudaDevAttrComputeCapabilityMinor:
            *value = 5;
            break;
        case cudaDevAttrMaxSharedMemoryPerBlockOptin:
            *value = kSharedBytes;
            break;
    }
    return called();
}
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
    *free = *total = kDeviceBytes;
    return called();
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
    if (const cudaError_t code = called(); code != cudaSuccess) return code;
    *stream = new EmulatedStream;
    return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    run_until(*stream, stream->asked);
    delete stream;
    return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
    if (const cudaError_t code = called(); code != cudaSuccess) return code;
    run_until(*stream, stream->asked);
    return cudaSuccess;
}
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
    if (const cudaError_t code = called(); code != cudaSuccess) return code;
    stream->capture = new EmulatedGraph;
    return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
    *graph = std::exchange(stream->capture, nullptr);
    const cudaError_t code = called();
    if (code != cudaSuccess) delete std::exchange(*graph, nullptr);
    return code;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
    if (const cudaError_t code = called(); code != cudaSuccess) return code;
    *exec = new EmulatedGraph(*graph);
    return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
    if (const cudaError_t code = called(); code != cudaSuccess) return code;
    return ask(stream, [work = exec->work] {
        for (const std::function<void()>& each : work) each();
    });
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
    delete graph;
    return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
    return cudaGraphDestroy(exec);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
    if (const cudaError_t code = called(); code != cudaSuccess) return code;
    *event = new EmulatedEvent;
    return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
    delete event;
    return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
    event->stream = stream;
    event->at = stream->asked;
    return called();
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
    if (const cudaError_t code = called(); code != cudaSuccess) return code;
    if (event->stream != nullptr) run_until(*event->stream, event->at);
    return cudaSuccess;
}

cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t begin, cudaEvent_t end) {
    if (const cudaError_t code = called(); code != cudaSuccess) return code;
    const bool is_done =
        end->stream != nullptr && end->stream == begin->stream && end->stream->done >= end->at;
    if (!is_done) return cudaErrorInvalidValue;
    *ms = static_cast<float>(end->at - begin->at);
    return cudaSuccess;
}

cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps* properties) {
    if (const cudaError_t code = called(); code != cudaSuccess) return code;
    const std::size_t most = properties->maxSize == 0 ? kDeviceBytes : properties->maxSize;
    *pool = new EmulatedPool{std::min(most, kDeviceBytes), 0};
    return cudaSuccess;
}
cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool) {
    if (pool->held_bytes != 0) give_up("a pool ends before its memory was released");
    delete pool;
    return cudaSuccess;
}
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) {
    return called();
}
cudaError_t cudaMemPoolTrimTo(cudaMemPool_t, std::size_t) {
    return called();
}

cudaError_t cudaMallocFromPoolAsync(void** data, std::size_t bytes, cudaMemPool_t pool, cudaStream_t) {
    if (const cudaError_t code = called(); code != cudaSuccess) return code;
    if (bytes > pool->most_bytes - pool->held_bytes) return cudaErrorMemoryAllocation;
    *data = take(bytes, pool);
    return *data == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
}
/// Also after a fault, as at the end of a process.
cudaError_t cudaFreeAsync(void* data, cudaStream_t stream) {
    ask(stream, [data] { give_back(static_cast<unsigned char*>(data)); });
    return called();
}
cudaError_t cudaHostAlloc(void** data, std::size_t bytes, unsigned) {
    if (const cudaError_t code = called(); code != cudaSuccess) return code;
    *data = take(bytes, nullptr);
    return *data == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
}
cudaError_t cudaFreeHost(void* data) {
    if (data != nullptr) give_back(static_cast<unsigned char*>(data));
    return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
    if (const cudaError_t code = called(); code != cudaSuccess) return code;
    const bool fits = is_held(to, bytes, kind != cudaMemcpyDeviceToHost) &&
                      is_held(from, bytes, kind != cudaMemcpyHostToDevice);
    if (!fits) return cudaErrorInvalidValue;  // host memory that is not pinned, or outside of an allocation
    return ask(stream, [=] { std::memmove(to, from, bytes); });
}
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
    if (const cudaError_t code = called(); code != cudaSuccess) return code;
    if (!is_held(to, bytes, true)) return cudaErrorInvalidValue;
    return ask(stream, [=] { std::memset(to, value, bytes); });
}
