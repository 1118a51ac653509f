#pragma once

#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "scheduler/units.h"

namespace nightshift::tests {

/// The brute-force answer to "when does it fire" and "is it open": it walks every minute by the C
/// library's own reading of the time zones and shares nothing with the product, neither its zones nor
/// its calendar arithmetic.
///
/// It rests on the highest local time seen so far. A local time has come at the first instant at which
/// that mark reaches it: after a gap for one that was skipped, at its first occurrence for one that
/// repeats.
class CalendarOracle {
  public:
    /// Of the instants in [from, to), both on full minutes.
    CalendarOracle(const std::string& zone, UnixMs from, UnixMs to);

    /// A minute of a local calendar: tm_year, tm_mon, tm_mday, tm_hour, tm_min, tm_wday are set.
    using Matches = std::function<bool(const std::tm&)>;
    /// Every instant at which a matching local minute has come.
    std::vector<UnixMs> fires(const Matches& matches) const;

    struct Rule {
        std::vector<int> weekdays;  ///< on which it opens; 0 = Sunday
        int start_minute = 0;
        int end_minute = 0;  ///< at or before the start: on the next day
    };
    /// For every minute: is any of the rules open?
    std::vector<bool> open_minutes(const std::vector<Rule>& rules) const;

  private:
    UnixMs from_;
    std::vector<std::int64_t> marks_;  ///< for the minute before `from`, then for each minute
};

}  // namespace nightshift::tests
