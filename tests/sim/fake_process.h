#pragma once

#include <optional>
#include <random>

#include "scheduler/attempt.h"
#include "scheduler/job.h"
#include "scheduler/transition.h"

namespace nightshift::tests {

/// Random numbers of one simulated night; the same seed gives the same night.
class Dice {
  public:
    explicit Dice(std::uint64_t seed) : engine_(seed) {}
    int between(int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine_); }
    bool one_in(int n) { return between(1, n) == 1; }

  private:
    std::mt19937_64 engine_;
};

/// A process that exists only as a plan of what it will do: when it comes up, when and how it ends, and
/// how it takes a request to leave. Its end is decided at its birth, the answer to a request at the request.
struct FakeProcess {
    AttemptId attempt;
    UnixMs up_at;  ///< starting -> running
    UnixMs end_at;
    AttemptReport report;  ///< what is seen at end_at
    bool is_told_to_leave = false;

    static FakeProcess launch(Dice& dice, const Job& job, const AttemptId& attempt, UnixMs now,
                              Millis work_left);
    /// May save in time, save too late, ignore the request, fail while saving, or finish anyway.
    void ask_to_leave(Dice& dice, const Job& job, UnixMs now);
    /// Killed: gone within two seconds, unless it ends before.
    void kill(Dice& dice, UnixMs now);
};

}  // namespace nightshift::tests
