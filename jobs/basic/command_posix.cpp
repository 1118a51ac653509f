#include "jobs/basic/command.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <optional>

#include <poll.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jobs/basic/command_child.h"
#include "jobs/basic/command_progress.h"
#include "jobs/basic/output_pipe.h"
#include "jobs/basic/process_watch.h"
#include "jobs/runtime/clock.h"
#include "jobs/runtime/guard.h"
#include "scheduler/crash_point.h"

namespace nightshift::jobs {
namespace {

using Time = std::int64_t;  // steady milliseconds

constexpr int kExitYielded = 85;
constexpr Time kTailEvery = 50;        ///< progress is read at most this often
constexpr Time kTailEveryBlind = 500;  ///< where inotify is not to be had
constexpr Time kWaitEveryBlind = 50;   ///< where pidfd_open is not to be had (Linux before 5.3)
constexpr Time kForever = 1000 * 60;   ///< a wake-up a minute, to bury orphans
constexpr Time kCountEvery = 250;      ///< a fork bomb makes some thousands in this time
constexpr Millis kKillPatience = seconds(5);

/// A descriptor that closes itself; -1 = none.
struct Descriptor {
    int fd = -1;
    explicit Descriptor(int value) : fd(value) {}
    ~Descriptor() {
        if (fd >= 0) ::close(fd);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
};

/// One program from its start to the end of everything it started.
class CommandRun {
  public:
    CommandRun(JobContext& context, CommandHost& host)
        : context_(context),
          host_(host),
          tail_(host.progress_file()),
          output_(STDOUT_FILENO, host.command_line().log_max),
          watch_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
        if (host.command_line().processes_max > 0) processes_.emplace(host.command_line().processes_max);
        const std::string file = host.progress_file().string();
        is_watched_ = watch_.fd >= 0 && ::inotify_add_watch(watch_.fd, file.c_str(), IN_MODIFY) >= 0;
    }

    void run() {
        const CommandLine& line = host_.command_line();
        SpawnRequest request{line.argv, line.cwd, merge_env(line.env, host_.contract_env())};
        if (request.cwd.empty()) request.cwd = context_.output().string();
        request.output_fd = output_.write_end();
        child_ = static_cast<pid_t>(spawn_group(request));
        output_.program_started();
        const Descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, child_, 0)));
        host_.command_started(identify_process(child_));
        crash_point("worker.command_started");
        while (!has_ended()) {
            wait_for_news(process.fd);
            bury_orphans();
            const Time now = steady_now().value;
            obey(now);
            if (is_tail_due_ && now >= tail_at_) forward_progress(now, false);
            if (now >= count_at_) count_processes(now);
        }
        finish();
    }

  private:
    /// Not "the pipe has ended": what the program leaves behind may hold that for years.
    /// The zombie keeps the group's number from being used again until finish() has killed the group.
    bool has_ended() {
        siginfo_t info{};
        return ::waitid(P_PID, static_cast<id_t>(child_), &info, WEXITED | WNOWAIT | WNOHANG) == 0 &&
               info.si_pid == child_;
    }

    void wait_for_news(int process_fd) {
        const Time now = steady_now().value;
        Time wait = process_fd >= 0 ? kForever : kWaitEveryBlind;
        if (is_tail_due_) wait = std::min(wait, tail_at_ - now);
        if (!is_watched_) wait = std::min(wait, kTailEveryBlind);
        if (kill_at_ > 0) wait = std::min(wait, kill_at_ - now);
        if (processes_) wait = std::min(wait, count_at_ - now);
        pollfd news[4] = {{host_.stop().wake_fd(), POLLIN, 0},
                          {process_fd, POLLIN, 0},
                          {is_watched_ && !is_tail_due_ ? watch_.fd : -1, POLLIN, 0},
                          {output_.read_end(), POLLIN, 0}};
        ::poll(news, 4, static_cast<int>(std::max<Time>(0, wait)));
        if (news[0].revents != 0) host_.stop().drain();
        if (news[3].revents != 0) output_.pump();
        if (news[2].revents != 0) {
            char events[4096];
            while (::read(watch_.fd, events, sizeof events) > 0) {
            }
            is_tail_due_ = true;
        }
        if (!is_watched_) is_tail_due_ = true;
    }

    /// What the program's family leaves behind is this process's to bury, being its subreaper: otherwise
    /// a program that runs for days could fill the process table.
    void bury_orphans() const {
        siginfo_t info{};
        while (::waitid(P_ALL, 0, &info, WEXITED | WNOWAIT | WNOHANG) == 0 && info.si_pid != 0 &&
               info.si_pid != child_) {
            ::waitpid(info.si_pid, nullptr, WNOHANG);
            info = {};
        }
    }

    void signal_group(int number) const { ::kill(-child_, number); }

    void obey(Time now) {
        const StopLevel level = host_.stop().level();
        const bool can_save = host_.command_line().checkpoint == CheckpointMode::kSignal;
        if (level == StopLevel::kYield && can_save && !was_asked_to_save_) {
            was_asked_to_save_ = true;
            signal_group(SIGTERM);
        }
        if (level == StopLevel::kCancel && kill_at_ == 0) {
            signal_group(SIGTERM);
            signal_group(SIGCONT);  // a stopped program could not hear it
            kill_at_ = now + std::max<Time>(1, host_.stop().grace().value);
        }
        if (kill_at_ > 0 && now >= kill_at_) {
            signal_group(SIGKILL);
            kill_at_ = now + kKillPatience.value;
        }
    }

    void forward_progress(Time now, bool is_last) {
        do {
            for (const std::string& line : tail_.read(is_last)) {
                if (const auto progress = parse_progress_line(line)) {
                    context_.progress(*progress);
                } else if (!line.empty() && !has_complained_) {
                    has_complained_ = true;
                    context_.log("nightshift: a line in NIGHTSHIFT_PROGRESS is not a JSON object: " +
                                 line.substr(0, 120));
                }
            }
        } while (is_last && tail_.has_more());
        is_tail_due_ = tail_.has_more();
        tail_at_ = now + kTailEvery;
    }

    void count_processes(Time now) {
        count_at_ = now + kCountEvery;
        if (!processes_ || !processes_->is_exceeded()) return;
        kill_descendants(kKillPatience);
        output_.finish();
        throw JobError("too_many_processes",
                       "the command had more than " + std::to_string(host_.command_line().processes_max) +
                           " processes and threads and was ended; start fewer, or raise limits.processes "
                           "in the policy");
    }

    void finish() {
        signal_group(SIGKILL);
        int status = 0;
        while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
        }
        kill_descendants(kKillPatience);
        output_.finish();
        forward_progress(steady_now().value, true);
        crash_point("worker.command_ended");
        if (WIFSIGNALED(status)) return host_.command_ended(std::nullopt, WTERMSIG(status));
        const int exit_code = WEXITSTATUS(status);
        if (was_asked_to_save_ && exit_code == kExitYielded) host_.commit_saved();
        host_.command_ended(exit_code, std::nullopt);
    }

    JobContext& context_;
    CommandHost& host_;
    ProgressTail tail_;
    OutputPipe output_;
    Descriptor watch_;
    bool is_watched_ = false;
    pid_t child_ = -1;
    bool is_tail_due_ = false;
    bool was_asked_to_save_ = false;
    bool has_complained_ = false;
    Time tail_at_ = 0;
    Time kill_at_ = 0;  ///< 0 = no cancel yet
    std::optional<ProcessWatch> processes_;
    Time count_at_ = 0;
};

}  // namespace

void run_command(JobContext& context, CommandHost& host) {
    CommandRun(context, host).run();
}

}  // namespace nightshift::jobs
