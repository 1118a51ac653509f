#include "tests/daemon/calendar_oracle.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

namespace nightshift::tests {
namespace {

constexpr std::int64_t kMinute = 60'000;
/// Local minutes are counted from here; a walk starts this far ahead, so that the mark is right.
constexpr std::int64_t kRunUp = 3 * 24 * 60;

std::tm local_at(std::int64_t utc_minute) {
    const std::time_t at = static_cast<std::time_t>(utc_minute * 60);
    std::tm local{};
    ::localtime_r(&at, &local);
    return local;
}

/// Minutes of a local clock since 1970, as if it ran in UTC.
std::int64_t local_minute(const std::tm& local) {
    std::tm copy = local;
    return static_cast<std::int64_t>(::timegm(&copy)) / 60;
}

std::tm calendar_of(std::int64_t minute) {
    const std::time_t at = static_cast<std::time_t>(minute * 60);
    std::tm local{};
    ::gmtime_r(&at, &local);
    return local;
}

/// The zone that the C library reads, for as long as this lives.
class ZoneInForce {
  public:
    explicit ZoneInForce(const std::string& zone) {
        if (const char* before = std::getenv("TZ")) before_ = before;
        ::setenv("TZ", (":" + zone).c_str(), 1);
        ::tzset();
    }
    ~ZoneInForce() {
        if (before_) {
            ::setenv("TZ", before_->c_str(), 1);
        } else {
            ::unsetenv("TZ");
        }
        ::tzset();
    }
    ZoneInForce(const ZoneInForce&) = delete;
    ZoneInForce& operator=(const ZoneInForce&) = delete;

  private:
    std::optional<std::string> before_;
};

}  // namespace

CalendarOracle::CalendarOracle(const std::string& zone, UnixMs from, UnixMs to) : from_(from) {
    const ZoneInForce in_force(zone);
    const std::int64_t first = from.value / kMinute;
    std::int64_t mark = INT64_MIN;
    for (std::int64_t minute = first - kRunUp; minute < to.value / kMinute; ++minute) {
        mark = std::max(mark, local_minute(local_at(minute)));
        if (minute >= first - 1) marks_.push_back(mark);
    }
}

std::vector<UnixMs> CalendarOracle::fires(const Matches& matches) const {
    std::vector<UnixMs> found;
    for (std::size_t i = 1; i < marks_.size(); ++i) {
        bool has_come = false;
        for (std::int64_t mark = marks_[i - 1] + 1; mark <= marks_[i] && !has_come; ++mark) {
            has_come = matches(calendar_of(mark));
        }
        if (has_come) found.push_back(from_ + minutes(static_cast<std::int64_t>(i) - 1));
    }
    return found;
}

std::vector<bool> CalendarOracle::open_minutes(const std::vector<Rule>& rules) const {
    std::vector<bool> open;
    for (std::size_t i = 1; i < marks_.size(); ++i) {
        bool is_open = false;
        for (const Rule& rule : rules) {
            const int length = rule.end_minute > rule.start_minute
                                   ? rule.end_minute - rule.start_minute
                                   : rule.end_minute + 1440 - rule.start_minute;
            for (int back = 0; back <= 2 && !is_open; ++back) {
                const std::int64_t day = marks_[i] / 1440 - back;
                const std::int64_t into = marks_[i] - day * 1440 - rule.start_minute;
                if (into < 0 || into >= length) continue;
                const int weekday = calendar_of(day * 1440).tm_wday;
                is_open =
                    std::find(rule.weekdays.begin(), rule.weekdays.end(), weekday) != rule.weekdays.end();
            }
        }
        open.push_back(is_open);
    }
    return open;
}

}  // namespace nightshift::tests
