#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include "scheduler/job.h"

namespace nightshift::jobs {

/// Above this size progress.jsonl takes one line a second only: no job can fill a disk with reports.
inline constexpr std::int64_t kProgressLogBytesFull = 32 * 1024 * 1024;

/// One report as a JSON object on one line, without its newline.
std::string progress_line(const Progress& progress, UnixMs at);

/// The attempt's progress.jsonl. The job's thread only.
class ProgressLog {
  public:
    /// Appends, from the first report on: a job without reports has no file. One that cannot be opened
    /// silences the log, not the job.
    explicit ProgressLog(std::filesystem::path file);
    void append(const Progress& progress, UnixMs now);

  private:
    void open();

    std::filesystem::path file_;
    bool is_open_ = false;
    std::ofstream stream_;
    std::int64_t bytes_ = 0;
    UnixMs last_{};
};

}  // namespace nightshift::jobs
