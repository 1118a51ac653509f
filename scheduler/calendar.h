#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scheduler/policy.h"
#include "scheduler/units.h"

namespace nightshift {

/// A point of a local clock, without a zone.
struct LocalTime {
    int year = 1970;
    int month = 1;   ///< 1..12
    int day = 1;     ///< 1..31
    int minute = 0;  ///< of the day, 0..1439
    int second = 0;
    int weekday = 0;  ///< 0 = Monday
};

/// Time zones, supplied by the layer above (the scheduler itself reads no files).
/// An empty zone name means the system's zone. Thread: the loop.
class TimeZones {
  public:
    virtual ~TimeZones() = default;
    virtual bool knows(const std::string& zone) const = 0;
    virtual LocalTime to_local(const std::string& zone, UnixMs at) const = 0;
    /// The instant of a local time. One that does not exist gives the first instant after the gap;
    /// one that repeats gives its first occurrence. `minute` may be 1440 (midnight of the next day).
    virtual UnixMs to_instant(const std::string& zone, const LocalTime& local) const = 0;
    /// Set when to_local(to_instant(local)) differs from local, i.e. the time falls into a gap.
    virtual bool is_in_gap(const std::string& zone, const LocalTime& local) const = 0;
    virtual bool is_repeated(const std::string& zone, const LocalTime& local) const = 0;
};

/// Parses "mon-fri 22:00-06:00", "sat,sun 00:00-24:00", "daily 08:00-19:00". Fails: invalid_argument
/// with the part that was not understood.
Result<WindowRule> parse_window_rule(std::string_view text);

/// A time during which a window is open: from (included) to (excluded).
struct OpenStretch {
    UnixMs from, to;
};
/// From two days before `around` to two weeks after it, in order, joined where they touch.
std::vector<OpenStretch> open_stretches(const Window& window, const TimeZones& zones, UnixMs around);
/// A stretch that reaches further than this is taken for "always open".
inline constexpr Millis kAlwaysOpenAfter = hours(24 * 9);

bool is_open(const Window& window, const TimeZones& zones, UnixMs at);
/// The next opening strictly after `at`, or nothing when the window never opens.
std::optional<UnixMs> next_open(const Window& window, const TimeZones& zones, UnixMs at);
/// The end of the open stretch that contains `at` (adjacent rules are joined); nothing when always open.
std::optional<UnixMs> close_of(const Window& window, const TimeZones& zones, UnixMs at);

}  // namespace nightshift
