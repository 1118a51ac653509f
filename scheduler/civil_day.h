#pragma once

#include <cstdint>

#include "scheduler/calendar.h"

namespace nightshift {

/// Day of the proleptic Gregorian calendar, counted from 1970-01-01, without a zone.
struct CivilDay {
    std::int64_t number = 0;
    friend auto operator<=>(const CivilDay&, const CivilDay&) = default;
};

CivilDay day_of(const LocalTime& local);
/// `minute` of that day, 0..1440, second 0.
LocalTime local_on(CivilDay day, int minute);
inline constexpr CivilDay operator+(CivilDay day, std::int64_t n) {
    return {day.number + n};
}

}  // namespace nightshift
