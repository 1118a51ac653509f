#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "api/context.h"
#include "api/http_types.h"
#include "api/submit_codec.h"

namespace nightshift::api {

inline constexpr std::size_t kBatchLineBytesMax = 64 * 1024;
inline constexpr int kBatchInFlightMax = 1024;           ///< submits asked for and not yet answered
inline constexpr std::int64_t kBatchErrorsMax = 10'000;  ///< then the batch stops: the output stays bounded

/// POST /api/v1/jobs:batch: takes lines as they come, submits them in order, answers each with a line
/// {"line": n, "id": 7} or {"line": n, "error": {...}} (n counts from 1, empty lines included). Lines
/// that use `job:#n` wait until the earlier ones have their ids. Thread: the loop.
class BatchRun : public BodySink, public BodyStream, public std::enable_shared_from_this<BatchRun> {
  public:
    BatchRun(Context& context, RequestPtr request, SubmitDefaults defaults, std::string key);
    void take(std::string_view bytes, std::function<void(bool)> more) override;
    void finish(bool is_complete) override;
    void next(Ready ready) override;
    void cancel() override;

  private:
    struct Line {
        std::int64_t number = 0;
        std::string text;
        bool is_too_long = false;
    };
    void split(std::string_view bytes);
    void work();
    void submit(const Line& line);
    IdempotencyKey key_of(const Line& line) const;
    void store(const Line& line, std::size_t place, JobSpec spec);
    void say_id(std::int64_t line, JobId id, bool is_replayed);
    void say_error(std::int64_t line, const Error& error);
    void flush();

    Context& context_;
    RequestPtr request_;
    SubmitDefaults defaults_;
    std::string key_;
    std::string partial_;
    bool is_skipping_ = false;  ///< inside a line that is too long
    std::int64_t lines_ = 0;
    std::deque<Line> waiting_;
    std::vector<JobId> ids_;  ///< by place in the list; 0 = failed or not yet stored
    int in_flight_ = 0;
    std::int64_t errors_ = 0;
    bool has_ended_ = false;   ///< no more input
    bool is_stopped_ = false;  ///< too many errors, or the client is gone
    std::string output_;
    Ready ready_;
    std::function<void(bool)> more_;
};

}  // namespace nightshift::api
