#include "jobs/runtime/attempt_run.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "jobs/runtime/clock.h"
#include "jobs/runtime/context.h"
#include "jobs/runtime/control.h"
#include "jobs/runtime/guard.h"
#include "jobs/runtime/output_readme.h"
#include "jobs/runtime/output_reporter.h"
#include "jobs/runtime/result_file.h"
#include "scheduler/crash_point.h"

namespace nightshift::jobs {
namespace {

namespace fs = std::filesystem;

constexpr Millis kKillPatience = seconds(5);
constexpr unsigned kRefusedWait_s = 60;  ///< longer than the kills take; the process ends in it

/// Takes a variable out of the environment, so that no user's program inherits it.
std::string take_env(const char* name) {
    const char* value = std::getenv(name);
    std::string text = value != nullptr ? value : "";
    ::unsetenv(name);
    return text;
}

struct Address {
    std::string path;
    wire::Hello hello;
};

/// Fails with an empty path when a variable is missing.
Address read_address() {
    Address address;
    address.path = take_env("NIGHTSHIFT_CONTROL");
    address.hello.token = take_env("NIGHTSHIFT_ATTEMPT_TOKEN");
    address.hello.attempt.job.value = std::atoll(take_env("NIGHTSHIFT_JOB_ID").c_str());
    address.hello.attempt.number = std::atoi(take_env("NIGHTSHIFT_ATTEMPT").c_str());
    address.hello.worker = identify_process(::getpid());
    address.hello.build = NIGHTSHIFT_VERSION;
    const std::string crash_at = take_env(kCrashPointVariable);
    if (!crash_at.empty()) {
        const AttemptId& id = address.hello.attempt;
        // The daemon that passed it on has checked it.
        static_cast<void>(
            arm_crash_point(crash_at, std::to_string(id.job.value) + "/" + std::to_string(id.number)));
    }
    if (address.hello.token.empty() || !address.hello.attempt.job) address.path.clear();
    return address;
}

Surroundings surroundings_of(const wire::Start& start) {
    Surroundings around;
    around.attempt = start.attempt;
    around.data = fs::current_path();
    around.state = start.folder;
    around.output = around.state / "output";
    around.cache = start.cache_folder.empty() ? around.state / "cache" : fs::path(start.cache_folder);
    around.base = start.cwd.empty() ? around.data : fs::path(start.cwd);
    around.inputs = start.inputs;
    const bool is_gpu = !start.device.empty() && start.device != "host" && !start.is_simulated;
    around.device = is_gpu ? ComputeDevice::kCuda : ComputeDevice::kCpu;
    around.device_uuid = is_gpu ? start.device : "";
    around.vram = start.vram;
    const int all = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    around.threads = start.threads > 0 ? std::min(start.threads, all) : all;
    around.is_command = start.kind == "command";
    around.command = {start.command,    start.cwd,     start.env,
                      start.checkpoint, start.log_max, start.processes_max};
    return around;
}

std::unique_ptr<JobImpl> make_job(const wire::Start& start) {
    const Kind* kind = find_kind(start.kind);
    if (kind == nullptr) {
        throw JobError("unknown_kind", "this worker has no kind '" + start.kind +
                                           "'; nightshift-worker kinds lists what it has");
    }
    const nlohmann::json params = nlohmann::json::parse(start.params_json, nullptr, false);
    if (params.is_discarded()) throw JobError("bad_param", "the job's params are not JSON");
    return make_documented_job(*kind, complete_params(*kind, params));
}

/// A process that waits inside the kernel holds what the job holds, so the job ends when it does.
void outlive_descendants() {
    for (bool is_said = false; !kill_descendants(kKillPatience); is_said = true) {
        if (is_said) continue;
        std::fprintf(stderr,
                     "nightshift: a process of this job cannot be killed, it waits inside the kernel; "
                     "the job ends when that process does\n");
    }
}

/// A disk that refuses the result must not turn one failure into another; a success without its list of
/// artifacts is none.
void leave_result(const Context& context, const wire::Done& done, UnixMs started_at) {
    try {
        context.leave_result(done, started_at);
        crash_point("worker.result_left");
    } catch (const std::exception& error) {
        if (done.exit_code == 0) throw;
        write_line("nightshift: the result is told, but not left in its folder: " +
                   std::string(error.what()));
    }
}

/// The disk may refuse everything: then the daemon hears it, and the log keeps it.
wire::Done run_in_folder(const wire::Start& start, Control& control, StopSignal& stop) {
    const UnixMs started_at = wall_now();
    const Millis steady_start = steady_now();
    DaemonReporter reporter(control);
    wire::Done done;
    try {
        Context context(surroundings_of(start), reporter, stop);
        if (!start.resume_folder.empty()) context.choose_checkpoint(start.resume_folder);
        done = context.run([&] { return make_job(start); });
        outlive_descendants();
        // The command's end may be the doing of the control thread, which is about to end this process.
        if (control.is_refused()) ::sleep(kRefusedWait_s);
        done.ran = steady_now() - steady_start;
        leave_result(context, done, started_at);
    } catch (const JobError& error) {
        done.exit_code = 1;
        done.error_code = error.code();
        done.message = error.what();
    } catch (const std::exception& error) {
        done.exit_code = 1;
        done.error_code = "io_error";
        done.message = error.what();
    }
    // What result.json says is what the daemon hears.
    if (done.ran.value == 0) done.ran = steady_now() - steady_start;
    return done;
}

int exit_code_of(const wire::Done& done) {
    if (done.signal) return 128 + *done.signal;
    return done.exit_code.value_or(1);
}

}  // namespace

int run_attempt() {
    guard_process();
    // Leaked on purpose: a signal may come until the very end of the process.
    auto* stop = new StopSignal;
    route_signals(*stop, StopLevel::kCancel);
    const Address address = read_address();
    if (address.path.empty()) {
        std::fprintf(stderr,
                     "nightshift-worker attempt is started by nightshiftd, which sets NIGHTSHIFT_CONTROL "
                     "and NIGHTSHIFT_ATTEMPT_TOKEN; use `nightshift-worker run` by hand\n");
        return kExitUsage;
    }
    crash_point("worker.begun");
    Control control({.path = address.path,
                     .hello = address.hello,
                     .on_refused =
                         [](const std::string& reason) {
                             std::fprintf(
                                 stderr, "nightshift-worker: stopped, the daemon knows a newer attempt: %s\n",
                                 reason.c_str());
                             kill_descendants(kKillPatience);
                             ::_exit(kExitRefused);
                         }},
                    *stop);
    const std::optional<wire::Start> start = control.wait_for_start();
    if (!start) {
        std::fprintf(stderr, "nightshift-worker: gave up, %s\n", control.why().c_str());
        return kExitNoDaemon;
    }
    crash_point("worker.start_received");
    const bool is_gpu = !start->device.empty() && start->device != "host" && !start->is_simulated;
    ::setenv("CUDA_VISIBLE_DEVICES", is_gpu ? start->device.c_str() : "", 1);
    const wire::Done done = run_in_folder(*start, control, *stop);
    if (!done.message.empty()) write_line("nightshift: " + done.message);
    control.finish(done);
    return exit_code_of(done);
}

}  // namespace nightshift::jobs
