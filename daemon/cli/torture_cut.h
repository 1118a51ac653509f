#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/cli/torture_report.h"

namespace nightshift::cli {

/// What SQLite's log holds, as far as its headers tell.
struct LogShape {
    std::int64_t page_bytes = 0;     ///< 0: no log
    std::int64_t frames = 0;         ///< frames of the newest run
    std::int64_t committed_end = 0;  ///< offset behind the last frame that ends a transaction
    std::int64_t before_last = 0;    ///< the same without the last transaction
};
LogShape shape_of(std::string_view log);

/// Pulls the plug on a daemon of its own, `rounds` times: kills it amid submits, then gives copies of its
/// files the end that a power cut could have left, starts a daemon on each and compares. What lies behind the
/// last commit may be anything; a commit that a lying disk lost may be missing, but only together with all
/// that came after it. Its jobs are held, so none of them ever runs. `folder` is made and removed.
void cut_power(const std::string& folder, std::uint64_t seed, TortureReport& report);

}  // namespace nightshift::cli
