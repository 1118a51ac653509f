#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace nightshift::daemon {

/// What a zone says of a local time.
struct LocalOffset {
    enum class Kind { kUnique, kGap, kRepeated };
    Kind kind = Kind::kUnique;
    std::int64_t offset_s = 0;     ///< of the first occurrence
    std::int64_t change_at_s = 0;  ///< in a gap: the instant at which the clocks are put forward
};

/// A POSIX TZ rule ("EST5EDT,M3.2.0,M11.1.0"), which holds for ever. Seconds since 1970, UTC or local.
class PosixZone {
  public:
    /// Nothing when the rule is not understood.
    static std::shared_ptr<const PosixZone> parse(const std::string& rule);
    virtual ~PosixZone() = default;
    virtual std::int64_t offset_at(std::int64_t unix_s) const = 0;
    virtual LocalOffset at_local(std::int64_t local_s) const = 0;
};

}  // namespace nightshift::daemon
