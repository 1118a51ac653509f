#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "jobs/runtime/stop_signal.h"
#include "scheduler/wire.h"

namespace nightshift::jobs {

/// Reports to the daemon are thinned to this rate; the newest report wins.
inline constexpr Millis kReportEvery{200};
inline constexpr Millis kReconnectFirst{50};
inline constexpr Millis kReconnectMax{2000};
/// Without a daemon: how long a worker waits for its Start, and at its end for a Bye.
inline constexpr Millis kStartWait = seconds(60);
inline constexpr Millis kByeWaitAlone = seconds(10);
/// A daemon that is there but slow (a disk that hangs) gets longer before result.json has to do.
inline constexpr Millis kByeWaitConnected = seconds(60);
inline constexpr int kBadLinesMax = 3;
inline constexpr std::size_t kPhaseEndsMax = 64;
inline constexpr std::size_t kRefusedMax = 16;

/// The worker's end of the control socket. A thread of its own owns the connection and makes it again
/// for ever when the daemon dies; the job's thread only leaves its latest reports here and never blocks.
/// What was said before is said again after a reconnect, so the daemon has to take repeated messages.
class Control {
  public:
    struct Options {
        std::string path;  ///< of the socket; may be longer than sun_path
        wire::Hello hello;
        std::function<void(const std::string& reason)> on_refused;  ///< control thread; ends the process
        Millis start_wait = kStartWait;
        Millis bye_wait_alone = kByeWaitAlone;
        Millis bye_wait_connected = kByeWaitConnected;
    };

    Control(Options options, StopSignal& stop);
    ~Control();
    Control(const Control&) = delete;
    Control& operator=(const Control&) = delete;

    /// Blocks until the daemon sends the job; nothing when none did (see why()).
    std::optional<wire::Start> wait_for_start();
    std::string why() const;

    /// True from the moment on at which the daemon said that this worker is not wanted: it must leave no
    /// trace any more. on_refused ends the process.
    bool is_refused() const { return is_refused_.load(); }

    void started(const wire::Started& started);
    void progress(const Progress& progress);
    void memory(const wire::MemoryReport& report);
    void checkpoint(const Checkpoint& checkpoint);
    /// Of more than kRefusedMax only the first are said: the newest, which come first.
    void checkpoint_refused(const wire::CheckpointRefused& refused);
    /// Says Done and waits a bounded time for Bye. True when the daemon has stored it.
    bool finish(const wire::Done& done);

  private:
    using Time = std::int64_t;  ///< steady milliseconds

    void loop();
    void connect(Time now);
    void disconnect(Time now, const std::string& reason);
    void read_lines(Time now);
    void handle(const wire::FromDaemon& message);
    void greet_again();
    void fill_outbox(Time now);
    void fill_progress(Time now);
    void write_outbox(Time now);
    int poll_timeout(Time now) const;
    void wait_for_event(Time now, bool& is_readable);
    bool gave_up(Time now);
    bool has_room() const;
    void wake() const;
    void say(const wire::FromWorker& message);

    const Options options_;
    StopSignal& stop_;
    int wake_fd_ = -1;

    // The control thread's own.
    int fd_ = -1;
    bool is_greeted_ = false;  ///< Start or Welcome was received on this connection
    std::string inbox_, outbox_;
    bool is_checkpoint_out_ = false, is_done_out_ = false;  ///< in outbox_
    Time connect_at_ = 0;
    Time back_off_ = kReconnectFirst.value;
    Time alone_since_ = 0;
    Time report_at_ = 0;
    int bad_lines_ = 0;

    std::atomic<bool> is_refused_{false};
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    // Guarded by mutex_.
    std::optional<wire::Start> start_;
    bool has_start_ = false;
    bool is_over_ = false;  ///< Bye came, or the patience ended
    bool has_bye_ = false;
    bool must_quit_ = false;
    std::string why_;
    std::optional<wire::Started> started_;
    Time started_at_ = 0;
    std::optional<Progress> progress_;
    std::deque<Progress> phase_ends_;
    std::optional<wire::MemoryReport> memory_;
    std::optional<Checkpoint> checkpoint_;
    std::vector<wire::CheckpointRefused> refused_;
    std::optional<wire::Done> done_;
    Time done_at_ = 0;
    bool is_started_due_ = false, is_progress_due_ = false, is_memory_due_ = false;
    bool is_refused_due_ = false, is_checkpoint_due_ = false, is_done_due_ = false;

    std::thread thread_;  ///< last, so that it starts when all else exists
};

}  // namespace nightshift::jobs
