#include "daemon/worker/processes.h"

#include "daemon/worker/identity.h"

namespace nightshift::daemon {

namespace {

class SystemProcesses final : public Processes {
  public:
    explicit SystemProcesses(boost::asio::io_context& loop) : loop_(loop) {}

    Result<std::unique_ptr<Process>> spawn(const SpawnRequest& request) override {
        return Process::spawn(loop_, request);
    }
    Result<std::unique_ptr<Process>> adopt(const ProcessIdentity& identity) override {
        return Process::adopt(loop_, identity);
    }
    std::string boot_id() const override { return daemon::boot_id(); }
    std::int64_t session_of(std::int64_t pid) const override { return daemon::session_of(pid); }
    std::optional<ProcessIdentity> find_worker(const AttemptId& attempt,
                                               const std::string& data_folder) const override {
        return daemon::find_worker(attempt, data_folder);
    }
    bool has_group(const ProcessIdentity& leader) const override { return daemon::has_group(leader); }
    std::vector<FamilyMember> kill_family(const Family& family, bool spares_worker) override {
        return daemon::kill_family(family, spares_worker);
    }

  private:
    boost::asio::io_context& loop_;
};

}  // namespace

std::unique_ptr<Processes> make_system_processes(boost::asio::io_context& loop) {
    return std::make_unique<SystemProcesses>(loop);
}

}  // namespace nightshift::daemon
