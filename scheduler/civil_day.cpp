#include "scheduler/civil_day.h"

#include <chrono>

namespace nightshift {

CivilDay day_of(const LocalTime& local) {
    const std::chrono::year_month_day date{std::chrono::year(local.year),
                                           std::chrono::month(static_cast<unsigned>(local.month)),
                                           std::chrono::day(static_cast<unsigned>(local.day))};
    return CivilDay{std::chrono::sys_days(date).time_since_epoch().count()};
}

LocalTime local_on(CivilDay day, int minute) {
    const std::chrono::sys_days days{std::chrono::days(day.number)};
    const std::chrono::year_month_day date{days};
    LocalTime local;
    local.year = static_cast<int>(date.year());
    local.month = static_cast<int>(static_cast<unsigned>(date.month()));
    local.day = static_cast<int>(static_cast<unsigned>(date.day()));
    local.minute = minute;
    local.weekday = static_cast<int>(std::chrono::weekday(days).iso_encoding()) - 1;
    return local;
}

}  // namespace nightshift
