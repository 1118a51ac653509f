#pragma once

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scheduler/job.h"

namespace nightshift::jobs {

inline constexpr std::size_t kProgressLineBytesMax = 64 * 1024;
/// Read at one go; a program that writes faster is heard with delay, never lost.
inline constexpr std::size_t kProgressReadBytesMax = 256 * 1024;

/// Parses one line of $NIGHTSHIFT_PROGRESS: {"step":3,"steps":40,"phase":"train","eta_s":12.5,
/// "metrics":{"loss":0.11}}, all fields optional. Python's NaN and Infinity pass as NaN. Nothing for a
/// line that is not such an object.
std::optional<Progress> parse_progress_line(std::string_view line);

/// Follows a file that a program appends lines to. One thread.
class ProgressTail {
  public:
    /// A file that is there already is an older run's, and removed; the program makes its own.
    explicit ProgressTail(std::filesystem::path file);
    /// Whole lines written since the last call; the end of the file counts as the end of a line when
    /// `is_last`. A file that became shorter is read from its start.
    std::vector<std::string> read(bool is_last);
    /// True when the last read stopped at its limit and more is there.
    bool has_more() const { return has_more_; }

  private:
    std::filesystem::path file_;
    std::uint64_t offset_ = 0;
    std::string partial_;
    bool has_more_ = false;
};

}  // namespace nightshift::jobs
