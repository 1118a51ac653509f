#pragma once

#include <map>
#include <string>
#include <vector>

#include "scheduler/calendar.h"

namespace nightshift::tests {

/// Zones made of an offset and a list of changes: no files, the same everywhere. Known: "" and "UTC",
/// "Asia/Seoul" (+9 h), "Europe/Berlin" (its changes of 2026 and 2027), "Test/Midnight" (skips
/// 00:00-01:00 on 2026-10-18 as Brazil did) and "Test/Samoa" (skips the whole of 2026-12-30).
class FixedZones : public TimeZones {
  public:
    FixedZones();
    bool knows(const std::string& zone) const override { return zones_.contains(zone); }
    LocalTime to_local(const std::string& zone, UnixMs at) const override;
    UnixMs to_instant(const std::string& zone, const LocalTime& local) const override;
    bool is_in_gap(const std::string& zone, const LocalTime& local) const override;
    bool is_repeated(const std::string& zone, const LocalTime& local) const override;

  private:
    struct Change {
        UnixMs at;
        Millis offset;
    };
    struct Zone {
        Millis first_offset;
        std::vector<Change> changes;
    };
    const Zone& zone(const std::string& name) const { return zones_.at(name); }
    static Millis offset_at(const Zone& zone, UnixMs at);
    /// Instants whose local time is the given one: none in a gap, two when it repeats.
    static std::vector<UnixMs> instants_of(const Zone& zone, std::int64_t local_ms);

    std::map<std::string, Zone> zones_;
};

/// UTC: utc(2026, 11, 20, 22, 30).
UnixMs utc(int year, int month, int day, int hour = 0, int minute = 0, int second = 0);
/// "2026-11-20T22:30:00Z", for messages of failed checks.
std::string utc_text(UnixMs at);

}  // namespace nightshift::tests
