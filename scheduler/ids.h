#pragma once

#include <compare>
#include <cstdint>

namespace nightshift {

/// Integer ids that cannot be mixed up. 0 means "none"; ids rise and are never used again.
template <typename Tag>
struct Id {
    std::int64_t value = 0;
    explicit operator bool() const { return value != 0; }
    friend auto operator<=>(const Id&, const Id&) = default;
};

using JobId = Id<struct JobTag>;
using ScheduleId = Id<struct ScheduleTag>;
using EventSeq = Id<struct EventTag>;

/// An attempt is addressed by its job and a number that starts at 1.
struct AttemptId {
    JobId job;
    int number = 0;
    friend auto operator<=>(const AttemptId&, const AttemptId&) = default;
};

}  // namespace nightshift
