#pragma once

#include <memory>
#include <string>

#include "scheduler/calendar.h"

namespace nightshift::daemon {

/// IANA zones from the system's database. The tables end with 2037; after that the POSIX rule in each
/// file's footer holds, as RFC 8536 says. An empty name is the system's zone (TZ, /etc/localtime, else
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

  private:
    struct Zone;
    const Zone& find(const std::string& name) const;

    struct Cache;
    std::unique_ptr<Cache> cache_;
    std::string system_zone_;
};

}  // namespace nightshift::daemon
