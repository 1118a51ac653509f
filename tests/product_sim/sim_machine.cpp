#include "tests/product_sim/sim_machine.h"

#include <algorithm>

namespace nightshift::tests {

namespace {

constexpr int kSpawnFailsOneIn = 80;
constexpr int kNoticeMaxMs = 15;  ///< until the daemon sees that a process has ended

std::string name_of(const AttemptId& id) {
    return std::to_string(id.job.value) + "/" + std::to_string(id.number);
}

std::string text_of(const daemon::ExitStatus& status) {
    if (status.signal) return "signal " + std::to_string(*status.signal);
    return status.exit_code ? "exit " + std::to_string(*status.exit_code) : "unseen";
}

/// What the daemon holds of a process; the process lives on without it.
class SimProcess final : public daemon::Process {
  public:
    SimProcess(SimMachine& machine, ProcessIdentity identity, bool is_parent)
        : machine_(machine), identity_(std::move(identity)), is_parent_(is_parent) {}
    ~SimProcess() override { machine_.forget(identity_.pid); }
    const ProcessIdentity& identity() const override { return identity_; }
    void on_exit(std::function<void(daemon::ExitStatus)> done) override {
        machine_.watch(identity_.pid, std::move(done), is_parent_);
    }

  private:
    SimMachine& machine_;
    ProcessIdentity identity_;
    bool is_parent_;
};

}  // namespace

SimMachine::SimMachine(Agenda& agenda, Dice& dice, Diary& diary, std::string data_folder)
    : agenda_(agenda), dice_(dice), diary_(diary), data_folder_(std::move(data_folder)) {}

Result<std::unique_ptr<daemon::Process>> SimMachine::spawn(const daemon::SpawnRequest& request) {
    AttemptId attempt;
    std::string token;
    for (const auto& [name, value] : request.environment) {
        if (name == "NIGHTSHIFT_JOB_ID") attempt.job.value = std::stoll(value);
        if (name == "NIGHTSHIFT_ATTEMPT") attempt.number = std::stoi(value);
        if (name == "NIGHTSHIFT_ATTEMPT_TOKEN") token = value;
    }
    if (!is_calm_ && dice_.one_in(kSpawnFailsOneIn)) {
        diary_.note("spawn of " + name_of(attempt) + " fails");
        return Error{ErrorCode::kUnavailable, "spawn_error", "Cannot start the worker.", "", ""};
    }
    if (truths_.contains(attempt)) diary_.fail("attempt " + name_of(attempt) + " is started twice");
    const ProcessIdentity identity{boot_id(), next_pid_, next_pid_ * 10};
    next_pid_ += dice_.between(1, 9);
    const Fate fate = is_calm_ ? Fate::calm(dice_) : Fate::roll(dice_);
    diary_.note("spawn " + name_of(attempt) + " pid " + std::to_string(identity.pid));
    truths_[attempt].born_in_life = lives_;
    auto worker = std::make_shared<Worker>(*this, identity, attempt, token, fate);
    workers_[identity.pid] = worker;
    worker->begin();
    return std::unique_ptr<daemon::Process>(std::make_unique<SimProcess>(*this, identity, true));
}

std::shared_ptr<Worker> SimMachine::find(const ProcessIdentity& identity) const {
    const auto found = workers_.find(identity.pid);
    if (found == workers_.end() || found->second->identity() != identity) return nullptr;
    return found->second;
}

Result<std::unique_ptr<daemon::Process>> SimMachine::adopt(const ProcessIdentity& identity) {
    if (!find(identity)) return Error{ErrorCode::kNotFound, "process_gone", "The process is gone.", "", ""};
    return std::unique_ptr<daemon::Process>(std::make_unique<SimProcess>(*this, identity, false));
}

std::int64_t SimMachine::session_of(std::int64_t pid) const {
    return workers_.contains(pid) ? pid : 0;
}

bool SimMachine::has_group(const ProcessIdentity& leader) const {
    return workers_.contains(leader.pid);
}

std::optional<ProcessIdentity> SimMachine::find_worker(const AttemptId& attempt,
                                                       const std::string& data_folder) const {
    if (data_folder != data_folder_) return std::nullopt;
    for (const auto& [pid, worker] : workers_) {
        if (worker->attempt() == attempt) return worker->identity();
    }
    return std::nullopt;
}

std::vector<daemon::FamilyMember> SimMachine::kill_family(const daemon::Family& family, bool spares_worker) {
    // A simulated family is its worker alone.
    const auto worker = find(family.worker);
    if (!worker) return {};
    if (spares_worker) return {{family.worker, 'S', "worker"}};
    diary_.note("kill " + name_of(worker->attempt()));
    if (worker->kill()) return {};
    return {{family.worker, 'D', "worker"}};
}

void SimMachine::open_door(Door door) {
    door_ = std::move(door);
}

void SimMachine::lose_daemon() {
    ++lives_;
    door_ = nullptr;
    watchers_.clear();
    for (const auto& [pid, worker] : workers_) worker->lose_daemon();
}

void SimMachine::lose_power() {
    lose_daemon();
    const auto all = workers_;
    for (const auto& [pid, worker] : all) worker->lose_power();
    lingering_.clear();
    ++boots_;
}

std::shared_ptr<Line> SimMachine::knock(const Worker& worker) {
    if (!door_) return nullptr;
    auto line = std::make_shared<Line>(agenda_, dice_, diary_, worker.identity().pid);
    // As control.sock does: the first line has to be a hello, then the crew takes over.
    line->open(
        [this, weak = std::weak_ptr<Line>(line)](const wire::FromWorker& message) {
            const auto known = weak.lock();
            const auto* hello = std::get_if<wire::Hello>(&message);
            if (!known || !door_ || hello == nullptr) return;
            diary_.note("hello " + name_of(hello->attempt) + (hello->is_started ? " again" : ""));
            door_(known, *hello);
        },
        nullptr);
    return line;
}

void SimMachine::note_start(const Worker& worker, const wire::Start& start) {
    diary_.note(
        "start " + name_of(worker.attempt()) +
        (start.resume_folder.empty() ? "" : " from " + start.resume_folder.substr(data_folder_.size())));
    for (const auto& [id, truth] : truths_) {
        if (id.job == worker.attempt().job && id != worker.attempt() && truth.is_working())
            diary_.fail("attempts " + name_of(id) + " and " + name_of(worker.attempt()) + " work at once");
    }
    if (on_start_) on_start_(worker, start);
}

void SimMachine::note_asked(const AttemptId& attempt, bool is_cancel) {
    diary_.note(std::string(is_cancel ? "cancel " : "yield ") + name_of(attempt));
    if (on_asked_) on_asked_(attempt, is_cancel);
}

void SimMachine::watch(std::int64_t pid, std::function<void(daemon::ExitStatus)> done, bool is_parent) {
    watchers_[pid] = {std::move(done), is_parent, ++watched_};
    // Gone before anybody looked: the handle shows it at once.
    if (!workers_.contains(pid)) tell_end(pid, {});
}

void SimMachine::tell_end(std::int64_t pid, const daemon::ExitStatus& status) {
    const auto found = watchers_.find(pid);
    if (found == watchers_.end()) return;
    const std::uint64_t number = found->second.number;
    agenda_.after(Millis{dice_.between(0, kNoticeMaxMs)}, [this, pid, status, number] {
        const auto at = watchers_.find(pid);
        if (at == watchers_.end() || at->second.number != number) return;
        const Watcher watcher = std::move(at->second);
        watchers_.erase(at);
        watcher.done(watcher.is_parent ? status : daemon::ExitStatus{});
    });
}

void SimMachine::on_gone(const Worker& worker) {
    const std::int64_t pid = worker.identity().pid;
    const Truth& end = truths_.at(worker.attempt());
    diary_.note("gone " + name_of(worker.attempt()) + " " + text_of(end.status) +
                (end.result ? " with a result" : ""));
    if (worker.used().value > 0 && !worker.device().empty()) {
        lingering_.push_back({worker.device(), worker.used(), std::min(worker.used(), worker.budget()),
                              agenda_.steady() + worker.fate().frees_after});
    }
    const auto kept = workers_.extract(pid);  // alive until its caller has returned
    agenda_.after(Millis{0}, [body = kept.mapped()] {});
    tell_end(pid, end.status);
}

Bytes SimMachine::granted_and_held(const std::string& device) const {
    Bytes sum;
    for (const auto& [pid, worker] : workers_) {
        if (worker->device() == device) sum += std::min(worker->used(), worker->budget());
    }
    for (const Lingering& left : lingering_) {
        if (left.device == device && left.until > agenda_.steady()) sum += left.granted;
    }
    return sum;
}

std::vector<ProcessMemory> SimMachine::memory_on(const std::string& device, Bytes& lingering) const {
    std::vector<ProcessMemory> all;
    for (const auto& [pid, worker] : workers_) {
        if (worker->device() == device && worker->used().value > 0)
            all.push_back({pid, worker->used(), "worker"});
    }
    lingering = {};
    for (const Lingering& left : lingering_) {
        if (left.device == device && left.until > agenda_.steady()) lingering += left.bytes;
    }
    return all;
}

}  // namespace nightshift::tests
