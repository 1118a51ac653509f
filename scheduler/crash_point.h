#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <string_view>

#include "scheduler/result.h"

namespace nightshift {

/// Every moment at which a test may end the process, by what has just happened; those that begin with
/// "worker." lie in nightshift-worker, the others in nightshiftd. `nightshiftd --crash-points` prints them,
/// and the suite of crash points takes its cases from there.
inline constexpr auto kCrashPoints = std::to_array<std::string_view>({
    // The start, in its order.
    "start.locked",
    "file.synced",
    "file.renamed",
    "start.database_open",
    "start.credentials_stored",
    "start.devices_made",
    "start.policy_loaded",
    "recover.looked",
    "recover.ends_stored",
    "recover.committed",
    "recover.adopted",
    "recover.done",
    "control.bound",
    "control.listening",
    "http.listening",
    "start.instance_written",
    "start.ready",
    // One tick of the loop.
    "tick.begun",
    "tick.change_applied",
    "tick.decided",
    "commit.begun",
    "commit.done",
    "tick.committed",
    "tick.acted",
    "tick.published",
    "tick.answered",
    "wal.before_checkpoint",
    "wal.checkpointed",
    // What is asked for over HTTP.
    "submit.stored",
    "submit.key_stored",
    "submit.committed",
    "retry.stored",
    "retry.committed",
    "schedule.put_committed",
    "schedule.run_stored",
    "schedule.run_committed",
    "cancel.committed",
    "policy.committed",
    "policy.applied",
    "answer.before_write",
    "answer.written",
    // A schedule's time has come.
    "fire.recorded",
    "fire.job_stored",
    "fire.chain_stored",
    "fire.next_stored",
    // The life of an attempt, as the daemon sees it.
    "grant.stored",
    "grant.committed",
    "spawn.folder_made",
    "spawn.done",
    "identity.stored",
    "identity.committed",
    "hello.received",
    "start.sent",
    "running.stored",
    "running.committed",
    "yield.stored",
    "yield.committed",
    "yield.sent",
    "stop.sent",
    "checkpoint.stored",
    "checkpoint.committed",
    "done.received",
    "end.stored",
    "end.committed",
    "bye.sent",
    "exit.seen",
    "lease.released",
    "lease.release_committed",
    // The way down.
    "down.asked",
    "down.flushed",
    "down.wal_moved",
    "down.instance_removed",
    // The life of an attempt, as its worker sees it.
    "worker.begun",
    "worker.connected",
    "worker.start_received",
    "worker.command_started",
    "worker.command_ended",
    "worker.checkpoint_saved",
    "worker.checkpoint_renamed",
    "worker.checkpoint_said",
    "worker.file_synced",
    "worker.file_renamed",
    "worker.result_left",
    "worker.done_said",
    "worker.bye_received",
});

/// One of kCrashPoints; a name that is not among them does not compile.
class CrashPoint {
  public:
    consteval CrashPoint(const char* name) : number_(number_of(name)) {}
    constexpr int number() const { return number_; }

  private:
    static consteval int number_of(std::string_view name) {
        for (std::size_t i = 0; i < kCrashPoints.size(); ++i) {
            if (kCrashPoints[i] == name) return static_cast<int>(i);
        }
        throw "there is no crash point of this name";
    }
    int number_;
};

/// The armed point's number, or -1. Written once, before the process has a second thread.
inline constinit std::atomic<int> crash_point_armed{-1};

/// Counts, and at the last count ends or stops the process. Any thread.
void crash_point_reached();

/// Marks the moment. Costs one relaxed load unless this very point is armed. Any thread.
inline void crash_point(CrashPoint point) {
    if (crash_point_armed.load(std::memory_order_relaxed) == point.number()) [[unlikely]]
        crash_point_reached();
}

/// Arms what `text` names: NAME[:N][@SCOPE][,HOW]. The N-th time (1) NAME is reached, the process says so
/// on stderr and then HOW: `exit` (the default; at once, with kExitCrashPoint), `kill` (SIGKILL to itself),
/// `stop` (SIGSTOP to itself: it goes on when told to). With a SCOPE only a process of that scope is meant:
/// "JOB/ATTEMPT" for a worker. Fails: invalid_argument "unknown_crash_point".
Status arm_crash_point(std::string_view text, std::string_view scope);

/// arm_crash_point with NIGHTSHIFT_CRASH_AT of the environment, if it is set.
Status arm_crash_point_of_environment(std::string_view scope);

inline constexpr const char* kCrashPointVariable = "NIGHTSHIFT_CRASH_AT";
inline constexpr int kExitCrashPoint = 86;

}  // namespace nightshift
