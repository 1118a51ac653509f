#include "jobs/basic/command.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <optional>

#include <poll.h>
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
constexpr Time kTailEvery = 50;       ///< between two pieces of a long progress file
constexpr Time kWaitEveryBlind = 50;  ///< where pidfd_open is not to be had (Linux before 5.3)
/// A fork bomb makes some thousands in this time. The progress file is looked at with it: inotify would say
/// it at once, but closing one takes the kernel 14 ms, which every short command would wait for at its end.
constexpr Time kLookEvery = 250;
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
          output_(STDOUT_FILENO, host.command_line().log_max) {
        if (host.command_line().processes_max > 0) processes_.emplace(host.command_line().processes_max);
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
        look_at_ = steady_now().value + kLookEvery;
        while (!has_ended()) {
            wait_for_news(process.fd);
            bury_orphans();
            const Time now = steady_now().value;
            obey(now);
            if (now >= look_at_) look(now);
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
        Time wait = std::min(process_fd >= 0 ? kLookEvery : kWaitEveryBlind, look_at_ - now);
        if (kill_at_ > 0) wait = std::min(wait, kill_at_ - now);
        pollfd news[3] = {{host_.stop().wake_fd(), POLLIN, 0},
                          {process_fd, POLLIN, 0},
                          {output_.read_end(), POLLIN, 0}};
        ::poll(news, 3, static_cast<int>(std::max<Time>(0, wait)));
        if (news[0].revents != 0) host_.stop().drain();
        if (news[2].revents != 0) output_.pump();
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

    void look(Time now) {
        count_processes();
        forward_progress(false);
        look_at_ = now + (tail_.has_more() ? kTailEvery : kLookEvery);
    }

    void forward_progress(bool is_last) {
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
    }

    void count_processes() {
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
        forward_progress(true);
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
    pid_t child_ = -1;
    bool was_asked_to_save_ = false;
    bool has_complained_ = false;
    Time kill_at_ = 0;  ///< 0 = no cancel yet
    Time look_at_ = 0;
    std::optional<ProcessWatch> processes_;
};

}  // namespace

void run_command(JobContext& context, CommandHost& host) {
    CommandRun(context, host).run();
}

}  // namespace nightshift::jobs
