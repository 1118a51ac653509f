#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "api/context.h"
#include "api/http_types.h"
#include "api/job_files.h"

namespace nightshift::api {

/// Where to begin in the log: `offset` in the raw bytes of all attempts (or of one).
struct LogStart {
    JobId job;
    int only_attempt = 0;  ///< 0 = all, in order
    std::int64_t offset = 0;
    bool follow = false;  ///< go on until the job has ended
};

/// Size of the log now, over the attempts that exist.
std::int64_t log_size(Context& context, const Job& job, int only_attempt);
/// Offset of the last `lines` lines; at most kTailBytesMax are looked at.
std::int64_t tail_offset(Context& context, const Job& job, int only_attempt, std::int64_t lines);
inline constexpr std::int64_t kTailBytesMax = 16 * 1024 * 1024;

/// Streams stdout.log of each attempt, byte for byte. Thread: the loop.
class LogStream : public BodyStream, public std::enable_shared_from_this<LogStream> {
  public:
    LogStream(Context& context, const Job& job, LogStart start);
    void next(Ready ready) override;
    void cancel() override;

  private:
    bool read_some(std::string& out);
    bool open_next();
    void look_at_job();
    void wait();

    Context& context_;
    LogStart start_;
    int attempts_ = 0;      ///< known so far
    bool is_over_ = false;  ///< the job had ended before the last look at its files
    int attempt_ = 0;       ///< being read; 0 = none yet
    ReadFile file_;
    std::int64_t at_ = 0;    ///< in the file
    std::int64_t skip_ = 0;  ///< still to skip, over file borders
    Ready ready_;
    std::shared_ptr<void> timer_, listening_;
    bool has_news_ = false;
};

}  // namespace nightshift::api
