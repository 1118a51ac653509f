#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/posix_zone.h"

namespace nightshift::daemon {

/// The rules of one zone as its compiled file lists them (RFC 8536): every change up to some year, and the
/// POSIX rule for all time after the last one. The library that knows the names of the zones reads each
/// file once for the life of the process; this one is read again after an update. Thread: any.
class ZoneFile {
  public:
    /// Null when `content` is not a whole zone file of version 2 or later.
    static std::shared_ptr<const ZoneFile> parse(std::string_view content);

    /// Seconds to add to UTC at an instant.
    std::int64_t offset_at(std::int64_t utc_s) const;
    /// What a local time means.
    LocalOffset at_local(std::int64_t local_s) const;
    /// Whether both say the same of every time.
    friend bool operator==(const ZoneFile& a, const ZoneFile& b);

  private:
    std::int64_t first_offset_s_ = 0;  ///< before the first change
    std::vector<std::int64_t> change_at_s_;
    std::vector<std::int64_t> offset_s_;  ///< from that change on
    std::string footer_text_;
    std::shared_ptr<const PosixZone> footer_;  ///< null = nobody knows
};

}  // namespace nightshift::daemon
