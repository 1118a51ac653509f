#pragma once

#include <atomic>
#include <mutex>
#include <string>

#include "scheduler/units.h"

namespace nightshift::jobs {

/// What the job was asked to do; a larger value outranks a smaller one.
enum class StopLevel : int { kNone = 0, kYield = 1, kCancel = 2 };

/// A request to stop, on its way from the daemon, a signal or a person to the job. Any thread may ask
/// and look; one thread at most waits on wake_fd().
class StopSignal {
  public:
    StopSignal();
    ~StopSignal();
    StopSignal(const StopSignal&) = delete;
    StopSignal& operator=(const StopSignal&) = delete;

    /// Raises the level; a lower one than before changes nothing.
    void ask(StopLevel level, Millis grace, const std::string& reason);
    /// The same from a signal handler: no locks, no memory. Grace and reason keep their values.
    void ask_from_handler(StopLevel level) noexcept;

    StopLevel level() const noexcept {
        return static_cast<StopLevel>(level_.load(std::memory_order_relaxed));
    }
    /// How long the asker waits before it kills.
    Millis grace() const;
    std::string reason() const;

    /// Readable after each request until drain() is called.
    int wake_fd() const { return wake_fd_; }
    void drain() const noexcept;

  private:
    void raise(StopLevel level) noexcept;

    std::atomic<int> level_{0};
    int wake_fd_ = -1;
    mutable std::mutex mutex_;
    Millis grace_ = seconds(10);  ///< guarded by mutex_
    std::string reason_;          ///< guarded by mutex_
};

}  // namespace nightshift::jobs
