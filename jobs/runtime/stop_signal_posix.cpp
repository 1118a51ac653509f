#include "jobs/runtime/stop_signal.h"

#include <cerrno>
#include <cstdint>
#include <cstring>

#include <sys/eventfd.h>
#include <unistd.h>

#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {

StopSignal::StopSignal() : wake_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (wake_fd_ < 0) throw JobError("internal", std::string("eventfd failed: ") + std::strerror(errno));
}

StopSignal::~StopSignal() {
    ::close(wake_fd_);
}

void StopSignal::raise(StopLevel level) noexcept {
    int seen = level_.load(std::memory_order_relaxed);
    while (seen < static_cast<int>(level) && !level_.compare_exchange_weak(seen, static_cast<int>(level))) {
    }
    const std::uint64_t one = 1;
    // Fails only when the counter is full, and then the descriptor is readable anyway.
    [[maybe_unused]] const ssize_t written = ::write(wake_fd_, &one, sizeof one);
}

void StopSignal::ask(StopLevel level, Millis grace, const std::string& reason) {
    {
        const std::lock_guard lock(mutex_);
        if (level >= this->level()) {
            grace_ = grace;
            reason_ = reason;
        }
    }
    raise(level);
}

void StopSignal::ask_from_handler(StopLevel level) noexcept {
    const int saved = errno;
    raise(level);
    errno = saved;
}

Millis StopSignal::grace() const {
    const std::lock_guard lock(mutex_);
    return grace_;
}

std::string StopSignal::reason() const {
    const std::lock_guard lock(mutex_);
    return reason_;
}

void StopSignal::drain() const noexcept {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t bytes = ::read(wake_fd_, &count, sizeof count);
}

}  // namespace nightshift::jobs
