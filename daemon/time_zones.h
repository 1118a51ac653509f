#pragma once

#include <memory>
#include <string>
#include <vector>

#include "scheduler/calendar.h"

namespace nightshift::daemon {

/// IANA zones from the system's database. An empty name is the system's zone (TZ, /etc/localtime, else
/// UTC). Thread: the loop.
class SystemTimeZones final : public TimeZones {
  public:
    SystemTimeZones();
    ~SystemTimeZones() override;
    bool knows(const std::string& zone) const override;
    LocalTime to_local(const std::string& zone, UnixMs at) const override;
    UnixMs to_instant(const std::string& zone, const LocalTime& local) const override;
    bool is_in_gap(const std::string& zone, const LocalTime& local) const override;
    bool is_repeated(const std::string& zone, const LocalTime& local) const override;
    /// The name that an empty zone stands for.
    const std::string& system_zone() const { return system_zone_; }
    /// Looks whether the files of the zones in use, or the choice of the system's zone, have changed since
    /// they were read; those that did are read anew. Returns the names of those whose rules are others now.
    /// Costs a look at each file. Zones that are new in the database are known after a restart.
    std::vector<std::string> refresh();

  private:
    struct Zone;
    /// Without rules when there is no such zone.
    static Zone read_zone(const std::string& name);
    const Zone& find(const std::string& name) const;

    struct Cache;
    std::unique_ptr<Cache> cache_;
    std::string system_zone_;
};

}  // namespace nightshift::daemon
