#include "jobs/runtime/control.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "jobs/runtime/clock.h"
#include "scheduler/crash_point.h"

namespace nightshift::jobs {
namespace {

/// Connects to a path of any length: beyond sun_path the folder is opened and named through /proc.
int connect_to(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::string name = path;
    int folder = -1;
    if (name.size() >= sizeof address.sun_path) {
        const std::size_t slash = path.rfind('/');
        if (slash == std::string::npos) return -1;
        folder = ::open(path.substr(0, slash).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (folder < 0) return -1;
        name = "/proc/self/fd/" + std::to_string(folder) + path.substr(slash);
    }
    int fd = -1;
    if (name.size() < sizeof address.sun_path) {
        std::memcpy(address.sun_path, name.c_str(), name.size() + 1);
        fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd >= 0 && ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            ::close(fd);
            fd = -1;
        }
    }
    if (folder >= 0) ::close(folder);
    return fd;
}

}  // namespace

Control::Control(Options options, StopSignal& stop)
    : options_(std::move(options)), stop_(stop), wake_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (wake_fd_ < 0) throw std::runtime_error(std::string("eventfd failed: ") + std::strerror(errno));
    alone_since_ = steady_now().value;
    thread_ = std::thread([this] { loop(); });
}

Control::~Control() {
    {
        const std::lock_guard lock(mutex_);
        must_quit_ = true;
    }
    wake();
    thread_.join();
    if (fd_ >= 0) ::close(fd_);
    ::close(wake_fd_);
}

void Control::wake() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(wake_fd_, &one, sizeof one);
}

// --- the job's side -----------------------------------------------------------------------------

std::optional<wire::Start> Control::wait_for_start() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return has_start_ || is_over_; });
    if (!has_start_) return std::nullopt;
    return std::move(start_);
}

std::string Control::why() const {
    const std::lock_guard lock(mutex_);
    return why_;
}

void Control::started(const wire::Started& started) {
    {
        const std::lock_guard lock(mutex_);
        started_ = started;
        started_at_ = steady_now().value;
        is_started_due_ = true;
    }
    wake();
}

void Control::progress(const Progress& progress) {
    {
        const std::lock_guard lock(mutex_);
        const bool was_due = is_progress_due_;
        if (was_due && progress_->phase != progress.phase) {
            if (phase_ends_.size() == kPhaseEndsMax) phase_ends_.pop_front();
            phase_ends_.push_back(*progress_);
        }
        progress_ = progress;
        is_progress_due_ = true;
        if (was_due) return;  // the thread already knows that something waits
    }
    wake();
}

void Control::memory(const wire::MemoryReport& report) {
    {
        const std::lock_guard lock(mutex_);
        memory_ = report;
        is_memory_due_ = true;
    }
    wake();
}

void Control::checkpoint(const Checkpoint& checkpoint) {
    {
        const std::lock_guard lock(mutex_);
        checkpoint_ = checkpoint;
        is_checkpoint_due_ = true;
    }
    wake();
}

void Control::checkpoint_refused(const wire::CheckpointRefused& refused) {
    {
        const std::lock_guard lock(mutex_);
        if (refused_.size() == kRefusedMax) return;
        refused_.push_back(refused);
        is_refused_due_ = true;
    }
    wake();
}

bool Control::finish(const wire::Done& done) {
    std::unique_lock lock(mutex_);
    done_ = done;
    done_at_ = steady_now().value;
    is_done_due_ = true;
    wake();
    changed_.wait(lock, [this] { return is_over_; });
    return has_bye_;
}

// --- the control thread -------------------------------------------------------------------------

void Control::loop() {
    for (;;) {
        const Time now = steady_now().value;
        if (gave_up(now)) return;
        if (fd_ < 0 && now >= connect_at_) connect(now);
        if (fd_ >= 0) {
            fill_outbox(now);
            write_outbox(now);
        }
        bool is_readable = false;
        wait_for_event(now, is_readable);
        if (is_readable) read_lines(steady_now().value);
    }
}

bool Control::gave_up(Time now) {
    const std::lock_guard lock(mutex_);
    if (must_quit_) return true;
    const bool is_alone = fd_ < 0;
    if (!has_start_ && is_alone && now - alone_since_ > options_.start_wait.value) {
        why_ = "no daemon answered at " + options_.path + " for " + format_duration(options_.start_wait);
        is_over_ = true;
    }
    if (done_ && is_alone && now - std::max(done_at_, alone_since_) > options_.bye_wait_alone.value)
        is_over_ = true;
    if (done_ && now - done_at_ > options_.bye_wait_connected.value) is_over_ = true;
    if (is_over_) changed_.notify_all();
    return is_over_;
}

void Control::connect(Time now) {
    fd_ = connect_to(options_.path);
    if (fd_ < 0) {
        connect_at_ = now + back_off_;
        back_off_ = std::min(back_off_ * 2, kReconnectMax.value);
        return;
    }
    is_greeted_ = false;
    inbox_.clear();
    outbox_.clear();
    wire::Hello hello = options_.hello;
    {
        const std::lock_guard lock(mutex_);
        hello.is_started = has_start_;
        if (started_) hello.command = started_->command;
    }
    say(hello);
    crash_point("worker.connected");
}

void Control::disconnect(Time now, const std::string& reason) {
    if (!reason.empty()) std::fprintf(stderr, "nightshift-worker: %s; connecting again\n", reason.c_str());
    ::close(fd_);
    fd_ = -1;
    is_greeted_ = false;
    alone_since_ = now;
    connect_at_ = now + back_off_;
    back_off_ = std::min(back_off_ * 2, kReconnectMax.value);
}

void Control::wait_for_event(Time now, bool& is_readable) {
    pollfd waits[2] = {{wake_fd_, POLLIN, 0}, {fd_, POLLIN, 0}};
    if (!outbox_.empty()) waits[1].events |= POLLOUT;
    const int ready = ::poll(waits, fd_ >= 0 ? 2 : 1, poll_timeout(now));
    if (ready <= 0) return;
    if (waits[0].revents != 0) {
        std::uint64_t count = 0;
        [[maybe_unused]] const ssize_t bytes = ::read(wake_fd_, &count, sizeof count);
    }
    is_readable = fd_ >= 0 && (waits[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0;
}

int Control::poll_timeout(Time now) const {
    Time until = now + options_.start_wait.value;
    if (fd_ < 0) until = std::min(until, connect_at_);
    const std::lock_guard lock(mutex_);
    if (has_room() && (is_progress_due_ || is_memory_due_)) until = std::min(until, report_at_);
    if (!has_start_ && fd_ < 0) until = std::min(until, alone_since_ + options_.start_wait.value + 1);
    if (done_ && fd_ < 0)
        until = std::min(until, std::max(done_at_, alone_since_) + options_.bye_wait_alone.value + 1);
    if (done_) until = std::min(until, done_at_ + options_.bye_wait_connected.value + 1);
    return static_cast<int>(std::max<Time>(0, until - now));
}

void Control::read_lines(Time now) {
    char block[64 * 1024];
    const ssize_t bytes = ::recv(fd_, block, sizeof block, 0);
    if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (bytes <= 0) return disconnect(now, "");
    inbox_.append(block, static_cast<std::size_t>(bytes));
    std::size_t from = 0;
    for (std::size_t end = inbox_.find('\n'); end != std::string::npos; end = inbox_.find('\n', from)) {
        const auto decoded = wire::decode_from_daemon(std::string_view(inbox_).substr(from, end - from));
        from = end + 1;
        if (!decoded) {
            if (++bad_lines_ >= kBadLinesMax) {
                const std::lock_guard lock(mutex_);
                why_ = "the daemon's messages make no sense: " + decoded.error().message;
                if (!has_start_) is_over_ = true;
            }
            return disconnect(now, decoded.error().message);
        }
        if (*decoded) handle(**decoded);
    }
    inbox_.erase(0, from);
    if (inbox_.size() > wire::kWireStartBytesMax)
        return disconnect(now, "the daemon sent a line without an end");
    if (outbox_.size() > wire::kWireStartBytesMax) disconnect(now, "the daemon does not read");
}

void Control::handle(const wire::FromDaemon& message) {
    if (const auto* start = std::get_if<wire::Start>(&message)) {
        const std::lock_guard lock(mutex_);
        if (!has_start_) start_ = *start;  // a repeated Start greets a worker that is at work
        has_start_ = true;
        changed_.notify_all();
        greet_again();
    } else if (std::holds_alternative<wire::Welcome>(message)) {
        const std::lock_guard lock(mutex_);
        greet_again();
    } else if (const auto* yield = std::get_if<wire::YieldRequest>(&message)) {
        stop_.ask(StopLevel::kYield, yield->grace, yield->reason);
    } else if (const auto* cancel = std::get_if<wire::CancelRequest>(&message)) {
        stop_.ask(StopLevel::kCancel, cancel->grace, cancel->reason);
    } else if (const auto* ping = std::get_if<wire::Ping>(&message)) {
        say(wire::Pong{ping->n});
    } else if (const auto* refuse = std::get_if<wire::Refuse>(&message)) {
        is_refused_ = true;
        {
            const std::lock_guard lock(mutex_);
            why_ = "the daemon refused this worker: " + refuse->reason;
            is_over_ = true;
        }
        if (options_.on_refused) options_.on_refused(refuse->reason);
        changed_.notify_all();
    } else if (std::holds_alternative<wire::Bye>(message)) {
        const std::lock_guard lock(mutex_);
        crash_point("worker.bye_received");
        has_bye_ = done_.has_value();
        is_over_ = has_bye_;
        changed_.notify_all();
    }
}

/// Called with mutex_ held: a daemon that has just come knows nothing of what was said before.
void Control::greet_again() {
    is_greeted_ = true;
    back_off_ = kReconnectFirst.value;
    bad_lines_ = 0;
    is_started_due_ = started_.has_value();
    is_progress_due_ = progress_.has_value();
    is_memory_due_ = memory_.has_value();
    is_refused_due_ = !refused_.empty();
    is_checkpoint_due_ = checkpoint_.has_value();
    is_done_due_ = done_.has_value();
}

void Control::say(const wire::FromWorker& message) {
    outbox_ += wire::encode(message);
    outbox_ += '\n';
}

bool Control::has_room() const {
    return is_greeted_ && outbox_.size() <= wire::kWireLineBytesMax;
}

void Control::fill_outbox(Time now) {
    const std::lock_guard lock(mutex_);
    // A daemon that does not read must not make this grow; everything below is kept until it fits.
    if (!has_room()) return;
    if (std::exchange(is_refused_due_, false)) {
        for (const wire::CheckpointRefused& refused : refused_) say(refused);
    }
    if (std::exchange(is_started_due_, false)) {
        started_->ran = Millis{std::max<Time>(0, now - started_at_)};
        say(*started_);
    }
    if (std::exchange(is_checkpoint_due_, false)) {
        say(wire::CheckpointCommitted{*checkpoint_});
        is_checkpoint_out_ = true;
    }
    fill_progress(now);
    if (std::exchange(is_done_due_, false)) {
        say(*done_);
        is_done_out_ = true;
    }
}

void Control::fill_progress(Time now) {
    if (now < report_at_ && !is_done_due_) return;
    if (is_progress_due_ || is_memory_due_ || !phase_ends_.empty()) report_at_ = now + kReportEvery.value;
    for (const Progress& end : phase_ends_) say(wire::ProgressReport{end});
    phase_ends_.clear();
    if (std::exchange(is_progress_due_, false)) say(wire::ProgressReport{*progress_});
    if (std::exchange(is_memory_due_, false)) say(*memory_);
}

void Control::write_outbox(Time now) {
    while (!outbox_.empty()) {
        const ssize_t sent = ::send(fd_, outbox_.data(), outbox_.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
        if (sent < 0) return disconnect(now, "");
        outbox_.erase(0, static_cast<std::size_t>(sent));
    }
    if (std::exchange(is_checkpoint_out_, false)) crash_point("worker.checkpoint_said");
    if (std::exchange(is_done_out_, false)) crash_point("worker.done_said");
}

}  // namespace nightshift::jobs
