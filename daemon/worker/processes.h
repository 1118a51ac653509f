#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/worker/family.h"
#include "daemon/worker/process.h"

namespace nightshift::daemon {

/// The processes of this machine: the way of the supervisors to them. Implementations: the system's, and
/// those of a simulated machine. Thread: the loop.
class Processes {
  public:
    virtual ~Processes() = default;
    /// As Process::spawn and Process::adopt.
    virtual Result<std::unique_ptr<Process>> spawn(const SpawnRequest& request) = 0;
    virtual Result<std::unique_ptr<Process>> adopt(const ProcessIdentity& identity) = 0;
    // As the functions of these names in identity.h and family.h.
    virtual std::string boot_id() const = 0;
    virtual std::int64_t session_of(std::int64_t pid) const = 0;
    virtual std::optional<ProcessIdentity> find_worker(const AttemptId& attempt,
                                                       const std::string& data_folder) const = 0;
    virtual bool has_group(const ProcessIdentity& leader) const = 0;
    virtual std::vector<FamilyMember> kill_family(const Family& family, bool spares_worker) = 0;
};

/// Those of the system; `loop` hears of their ends.
std::unique_ptr<Processes> make_system_processes(boost::asio::io_context& loop);

}  // namespace nightshift::daemon
