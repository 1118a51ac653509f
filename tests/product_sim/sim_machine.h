#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/worker/processes.h"
#include "scheduler/gpu.h"
#include "tests/product_sim/worker.h"

namespace nightshift::tests {

/// The simulated machine below the daemon: its processes, their connections and the memory they hold. It
/// lives on when the daemon dies, and ends all of them when the power fails.
class SimMachine final : public daemon::Processes {
  public:
    using Door = std::function<void(std::shared_ptr<daemon::Channel>, const wire::Hello&)>;

    SimMachine(Agenda& agenda, Dice& dice, Diary& diary, std::string data_folder);

    Result<std::unique_ptr<daemon::Process>> spawn(const daemon::SpawnRequest& request) override;
    Result<std::unique_ptr<daemon::Process>> adopt(const ProcessIdentity& identity) override;
    std::string boot_id() const override { return "boot-" + std::to_string(boots_); }
    std::int64_t session_of(std::int64_t pid) const override;
    std::optional<ProcessIdentity> find_worker(const AttemptId& attempt,
                                               const std::string& data_folder) const override;
    bool has_group(const ProcessIdentity& leader) const override;
    std::vector<daemon::FamilyMember> kill_family(const daemon::Family& family, bool spares_worker) override;

    /// A daemon listens; hellos go to `door`.
    void open_door(Door door);
    /// The daemon is gone without a word: connections break, processes live on.
    void lose_daemon();
    /// All processes are gone without a word, and the next start is another boot.
    void lose_power();
    /// From now on workers neither hang nor fail.
    void calm_down() { is_calm_ = true; }
    /// A process may fail to start.
    void set_on_start(std::function<void(const Worker&, const wire::Start&)> on_start) {
        on_start_ = std::move(on_start);
    }
    void set_on_asked(std::function<void(const AttemptId&, bool is_cancel)> on_asked) {
        on_asked_ = std::move(on_asked);
    }

    /// Daemons that died so far.
    int lives() const { return lives_; }
    Truth& truth(const AttemptId& attempt) { return truths_[attempt]; }
    const std::map<AttemptId, Truth>& truths() const { return truths_; }
    /// Workers that are alive, by pid.
    const std::map<std::int64_t, std::shared_ptr<Worker>>& workers() const { return workers_; }
    /// Memory that the driver shows on a device: of processes, and `lingering` of none.
    std::vector<ProcessMemory> memory_on(const std::string& device, Bytes& lingering) const;

    /// What our workers hold of what they were given, and what the driver has not taken back from them yet.
    Bytes granted_and_held(const std::string& device) const;

    // For workers.
    Agenda& agenda() { return agenda_; }
    Dice& dice() { return dice_; }
    std::shared_ptr<Line> knock(const Worker& worker);
    void note_start(const Worker& worker, const wire::Start& start);
    void note_asked(const AttemptId& attempt, bool is_cancel);
    void on_gone(const Worker& worker);

    // For processes that the daemon holds.
    void watch(std::int64_t pid, std::function<void(daemon::ExitStatus)> done, bool is_parent);
    void forget(std::int64_t pid) { watchers_.erase(pid); }

  private:
    struct Watcher {
        std::function<void(daemon::ExitStatus)> done;
        bool is_parent = false;
        std::uint64_t number = 0;
    };
    struct Lingering {
        std::string device;
        Bytes bytes;
        Bytes granted;  ///< of these, within its budget
        Millis until;
    };
    void tell_end(std::int64_t pid, const daemon::ExitStatus& status);
    std::shared_ptr<Worker> find(const ProcessIdentity& identity) const;

    Agenda& agenda_;
    Dice& dice_;
    Diary& diary_;
    std::string data_folder_;
    Door door_;
    int boots_ = 1;
    int lives_ = 0;  ///< daemons so far
    std::int64_t next_pid_ = 1000;
    bool is_calm_ = false;
    std::uint64_t watched_ = 0;
    std::map<std::int64_t, std::shared_ptr<Worker>> workers_;
    std::map<std::int64_t, Watcher> watchers_;
    std::map<AttemptId, Truth> truths_;
    std::vector<Lingering> lingering_;
    std::function<void(const Worker&, const wire::Start&)> on_start_;
    std::function<void(const AttemptId&, bool)> on_asked_;
};

}  // namespace nightshift::tests
