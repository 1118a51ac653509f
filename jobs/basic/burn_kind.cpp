#include <atomic>
#include <cstdint>
#include <optional>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "jobs/basic/cuda_memory.h"
#include "jobs/basic/timed_work.h"
#include "jobs/kinds.h"

namespace nightshift::jobs {
namespace {

/// Threads that compute until they are destroyed.
class Heaters {
  public:
    explicit Heaters(int count) {
        for (int i = 0; i < count; ++i) {
            threads_.emplace_back(
                [this, i](const std::stop_token& stop) { heat(stop, static_cast<std::uint64_t>(i)); });
        }
    }
    std::int64_t rounds() const { return rounds_; }

  private:
    /// xorshift64*: arithmetic that no compiler removes because the state is kept.
    void heat(const std::stop_token& stop, std::uint64_t seed) {
        std::uint64_t state = seed * 2 + 1;
        while (!stop.stop_requested()) {
            for (int i = 0; i < 1'000'000; ++i) {
                state ^= state >> 12;
                state ^= state << 25;
                state ^= state >> 27;
            }
            residue_.fetch_xor(state, std::memory_order_relaxed);
            rounds_.fetch_add(1, std::memory_order_relaxed);
        }
    }

    std::atomic<std::uint64_t> residue_{0};
    std::atomic<std::int64_t> rounds_{0};  ///< of a million steps
    std::vector<std::jthread> threads_;    ///< last: joined before the counters go
};

class BurnJob final : public JobImpl {
  public:
    explicit BurnJob(TimedWork work) : work_(std::move(work)) {}
    void run(JobContext& context) override {
        const Bytes allocate = work_.allocate.value > 0 ? work_.allocate : context.vram_budget();
        std::optional<CudaMemory> memory;
        if (context.device() == ComputeDevice::kCuda && allocate.value > 0) memory.emplace(allocate);
        if (allocate.value > 0) context.claim(allocate);
        const Heaters heaters(context.threads());
        pass_time(context, work_, [&] {
            if (memory) memory->touch();
        });
        context.log("burned " + std::to_string(heaters.rounds()) + " million steps on " +
                    std::to_string(context.threads()) + " threads");
    }

  private:
    TimedWork work_;
};

}  // namespace

Kind burn_kind() {
    Kind kind;
    kind.name = "burn";
    kind.job_class = JobClass::kSynthesis;
    kind.summary_en = "Computes and holds memory: for trying the scheduler";
    kind.summary_ko = "계산하며 메모리를 차지합니다: 스케줄러 시험용";
    kind.ram = mebibytes(64);
    kind.estimate_param = "seconds";
    kind.schema = timed_schema;
    kind.make = [](const nlohmann::json& params) {
        return std::make_unique<BurnJob>(read_timed_work("burn", params));
    };
    return kind;
}

}  // namespace nightshift::jobs
