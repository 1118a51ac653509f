#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nightshift::daemon {

/// What the system's table says of one process (proc(5)).
struct ProcRow {
    std::int64_t pid = 0;
    std::string name;  ///< the program's, at most 15 bytes of anything
    char state = '?';
    std::int64_t parent = 0;
    std::int64_t group = 0;
    std::int64_t session = 0;
    std::int64_t threads = 0;
    std::int64_t start_ticks = 0;

    /// Nothing runs any more; its number is kept for its parent. One whose first thread has left shows as a
    /// zombie, too, while its other threads go on.
    bool has_ended() const { return (state == 'Z' && threads <= 1) || state == 'X'; }
};

/// Nothing when there is no such process.
std::optional<ProcRow> read_proc(std::int64_t pid);

/// Every process that can be seen, in no order.
std::vector<ProcRow> list_procs();

}  // namespace nightshift::daemon
