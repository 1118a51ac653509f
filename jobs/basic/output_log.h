#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "scheduler/units.h"

namespace nightshift::jobs {

/// The end of what was printed beyond the limit is kept up to this size.
inline constexpr std::size_t kLogTailBytesMax = 64 * 1024;

/// What a program prints, into a file that may reach its limit and a disk that may be full. Neither ends
/// the program, neither is hidden: the log says how many bytes were dropped and why. Only appends, so a
/// reader who follows never sees a byte change. The job's thread only; owns nothing.
class OutputLog {
  public:
    /// `fd` is open for appending; other writers may append, too.
    OutputLog(int fd, Bytes max);

    /// Takes room for words of ours from the disk in advance; what is written takes more of it as it grows.
    void keep_room();
    /// Never fails and never waits for room.
    void write(std::string_view bytes);
    /// Says what was dropped, appends the kept end, gives the reserved room back. Nothing is written after.
    void finish();

  private:
    void put(std::string_view bytes);
    void put_all(std::string_view bytes);
    bool say(const std::string& words);
    void keep_end(std::string_view bytes);
    bool has_room_for(std::size_t bytes);
    bool reserve(std::int64_t from, std::int64_t end);
    bool end_disk_gap();

    int fd_;
    std::int64_t max_;
    std::int64_t accepted_ = 0;       ///< below the limit
    std::int64_t beyond_ = 0;         ///< above it
    std::int64_t refused_ = 0;        ///< by the disk, since it last took something
    std::int64_t look_again_at_ = 0;  ///< steady milliseconds
    std::int64_t reserved_to_ = 0;    ///< offset in the file up to which the disk has room for us
    bool can_reserve_ = true;
    bool is_line_open_ = false;
    std::string end_;
};

}  // namespace nightshift::jobs
