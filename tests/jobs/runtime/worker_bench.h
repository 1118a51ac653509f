#pragma once

#include <string>
#include <vector>

#include "jobs/runtime/result_file.h"
#include "tests/jobs/runtime/fake_daemon.h"
#include "tests/support/scratch_folder.h"

namespace nightshift::tests {

/// A data folder, a fake daemon and workers under it.
struct WorkerBench {
    ScratchFolder data;
    FakeDaemon daemon{data.path()};

    wire::Start start_of(const WorkerProcess& worker, AttemptId attempt, const std::string& kind,
                         const std::string& params) const {
        wire::Start start;
        start.attempt = attempt;
        start.kind = kind;
        start.params_json = params;
        start.folder = worker.folder().string();
        start.checkpoint = kind == "command" ? CheckpointMode::kNone : CheckpointMode::kWorker;
        start.cache_folder = (data / "cache").string();
        return start;
    }

    wire::Start command_start(const WorkerProcess& worker, AttemptId attempt,
                              std::vector<std::string> command) const {
        wire::Start start = start_of(worker, attempt, "command", "{}");
        start.command = std::move(command);
        return start;
    }

    wire::Start shell_start(const WorkerProcess& worker, AttemptId attempt, const std::string& script) const {
        return command_start(worker, attempt, {"/bin/sh", "-c", script});
    }

    /// Takes Done, says Bye, waits for the exit code.
    std::pair<wire::Done, int> finish(WorkerProcess& worker) {
        const wire::Done done = daemon.receive_a<wire::Done>();
        daemon.send(wire::Bye{});
        return {done, worker.wait()};
    }
};

inline constexpr AttemptId kAttempt{JobId{7}, 1};

}  // namespace nightshift::tests
