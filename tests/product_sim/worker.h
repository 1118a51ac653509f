#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "daemon/worker/process.h"
#include "tests/product_sim/fate.h"
#include "tests/product_sim/line.h"

namespace nightshift::tests {

class SimMachine;

/// What really became of an attempt, whatever the daemon believes.
struct Truth {
    bool is_started = false;           ///< its worker was told to start
    std::optional<wire::Done> result;  ///< in its result.json
    std::optional<wire::Done> said;    ///< Done was said, with or without a file
    bool is_gone = false;              ///< its process
    bool is_power_lost = false;        ///< gone because the machine was
    daemon::ExitStatus status;         ///< as its parent saw it
    int born_in_life = 0;              ///< of the daemon: only that one hears the status
    Millis gone_at;
    std::optional<Millis> began_at;     ///< steady; its work
    std::set<std::string> checkpoints;  ///< folders that were saved whole

    bool is_working() const { return is_started && !result && !said && !is_gone; }
};

/// A simulated nightshift-worker process: keeps the protocol as jobs/runtime does, says again what it said
/// before after a reconnect, and otherwise does what its fate wants.
class Worker final : public std::enable_shared_from_this<Worker> {
  public:
    Worker(SimMachine& machine, ProcessIdentity identity, AttemptId attempt, std::string token, Fate fate)
        : machine_(machine),
          identity_(std::move(identity)),
          attempt_(attempt),
          token_(std::move(token)),
          fate_(fate) {}

    void begin();
    /// SIGKILL. False: it cannot be killed yet.
    bool kill();
    /// The daemon died: its end of the connection is gone.
    void lose_daemon();
    /// The machine died.
    void lose_power();

    const ProcessIdentity& identity() const { return identity_; }
    const AttemptId& attempt() const { return attempt_; }
    const Fate& fate() const { return fate_; }
    const std::string& device() const { return start_.device; }
    Bytes used() const { return memory_.used; }
    Bytes budget() const { return start_.vram; }
    bool is_gone() const { return is_gone_; }
    bool hangs() const { return fate_.ending == Ending::kHang; }

  private:
    void later(Millis wait, std::function<void()> act);
    void connect();
    void on_cut();
    void hear(const wire::FromDaemon& message);
    void on_start(const wire::Start& start);
    void greet_again();
    void work();
    void report();
    void save();
    void leave(const wire::YieldRequest& request);
    void stop();
    /// The work is over: result.json, Done, then a Bye or patience.
    void finish(std::optional<int> exit_code, std::optional<int> signal);
    void write_result();
    void give_up_alone();
    void end(daemon::ExitStatus status);
    void say(const wire::FromWorker& message);
    Truth& truth();
    Millis done_so_far() const;

    SimMachine& machine_;
    ProcessIdentity identity_;
    AttemptId attempt_;
    std::string token_;
    Fate fate_;
    std::shared_ptr<Line> line_;
    Millis back_off_;
    Millis alone_since_;
    bool is_greeted_ = false;
    bool has_start_ = false;
    bool is_frozen_ = false;
    bool is_gone_ = false;
    wire::Start start_;
    Millis work_total_, work_before_, work_from_;
    bool is_at_work_ = false;
    UnixMs started_at_;
    std::optional<wire::Started> started_;
    std::optional<Progress> progress_;
    wire::MemoryReport memory_;
    std::optional<Checkpoint> checkpoint_;
    std::optional<wire::Done> done_;
};

}  // namespace nightshift::tests
