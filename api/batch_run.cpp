#include "api/batch_run.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "api/digest.h"
#include "api/idempotency.h"
#include "api/problem.h"
#include "api/strict_json.h"

namespace nightshift::api {
namespace {

constexpr std::size_t kWaitingMax = 4096;  ///< lines read and not yet submitted

bool uses_chain(const std::string& text) {
    return text.find("job:#") != std::string::npos || text.find("\"#") != std::string::npos;
}

}  // namespace

BatchRun::BatchRun(Context& context, RequestPtr request, SubmitDefaults defaults, std::string key)
    : context_(context), request_(std::move(request)), defaults_(std::move(defaults)), key_(std::move(key)) {}

void BatchRun::take(std::string_view bytes, std::function<void(bool)> more) {
    if (is_stopped_) return more(false);
    split(bytes);
    more_ = std::move(more);
    work();
}

void BatchRun::split(std::string_view bytes) {
    while (!bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        const std::string_view part = bytes.substr(0, end);
        if (!is_skipping_ && partial_.size() + part.size() > kBatchLineBytesMax) {
            is_skipping_ = true;
            partial_.clear();
        }
        if (!is_skipping_) partial_ += part;
        if (end == std::string_view::npos) return;
        waiting_.push_back({++lines_, std::exchange(partial_, {}), std::exchange(is_skipping_, false)});
        bytes.remove_prefix(end + 1);
    }
}

void BatchRun::finish(bool is_complete) {
    if (is_complete && (!partial_.empty() || is_skipping_)) {
        waiting_.push_back({++lines_, std::exchange(partial_, {}), std::exchange(is_skipping_, false)});
    }
    has_ended_ = true;
    work();
}

void BatchRun::work() {
    while (!waiting_.empty() && !is_stopped_ && in_flight_ < kBatchInFlightMax) {
        if (uses_chain(waiting_.front().text) && in_flight_ > 0) break;
        const Line line = std::move(waiting_.front());
        waiting_.pop_front();
        submit(line);
    }
    if (is_stopped_) waiting_.clear();
    if (more_ && waiting_.size() < kWaitingMax) std::exchange(more_, nullptr)(!is_stopped_);
    flush();
}

void BatchRun::submit(const Line& line) {
    if (line.is_too_long) {
        ids_.emplace_back();
        return say_error(line.number,
                         {ErrorCode::kInvalidArgument, "line_too_long", "The line is longer than 64 KiB.",
                          "Submit this job alone with POST /api/v1/jobs.", ""});
    }
    if (line.text.find_first_not_of(" \t\r") == std::string::npos) return;
    const std::size_t place = ids_.size();
    ids_.emplace_back();
    const IdempotencyKey key = key_of(line);
    const auto known = find_created(context_.queries, key);
    if (!known) return say_error(line.number, known.error());
    if (*known) {
        ids_[place] = (*known)->jobs.at(0);
        return say_id(line.number, ids_[place], true);
    }
    auto spec = parse_submit_text(line.text, defaults_, std::span(ids_).first(place));
    if (!spec) return say_error(line.number, spec.error());
    store(line, place, std::move(*spec));
}

IdempotencyKey BatchRun::key_of(const Line& line) const {
    if (key_.empty()) return {};
    return {"batch", key_ + "#" + std::to_string(line.number), sha256_hex(line.text)};
}

void BatchRun::store(const Line& line, std::size_t place, JobSpec spec) {
    SubmitRequest order;
    order.spec = std::move(spec);
    order.actor = request_->caller.actor;
    order.key = key_of(line);
    ++in_flight_;
    context_.commands.submit(std::move(order), [self = shared_from_this(), number = line.number,
                                                place](Result<SubmitReply> reply) {
        --self->in_flight_;
        if (reply) {
            self->ids_[place] = reply->id;
            self->say_id(number, reply->id, reply->is_replayed);
        } else {
            self->say_error(number, reply.error());
        }
        self->work();
    });
}

void BatchRun::say_id(std::int64_t line, JobId id, bool is_replayed) {
    output_ += "{\"line\":" + std::to_string(line) + ",\"id\":" + std::to_string(id.value);
    output_ += is_replayed ? ",\"replayed\":true}\n" : "}\n";
}

void BatchRun::say_error(std::int64_t line, const Error& error) {
    nlohmann::ordered_json row;
    row["line"] = line;
    row["error"] = error_object(error);
    output_ += dump_json(row) + "\n";
    if (++errors_ < kBatchErrorsMax || is_stopped_) return;
    is_stopped_ = true;
    row["error"] = error_object({ErrorCode::kExhausted, "too_many_errors",
                                 "The batch stops here after 10,000 bad lines.",
                                 "Correct them and send the lines after this one again.", ""});
    output_ += dump_json(row) + "\n";
}

void BatchRun::next(Ready ready) {
    ready_ = std::move(ready);
    flush();
}

void BatchRun::flush() {
    if (!ready_) return;
    const bool is_done = (has_ended_ || is_stopped_) && waiting_.empty() && in_flight_ == 0;
    if (output_.empty() && !is_done) return;
    Chunk chunk;
    chunk.bytes = std::exchange(output_, {});
    chunk.is_end = is_done;
    std::exchange(ready_, nullptr)(std::move(chunk));
}

void BatchRun::cancel() {
    ready_ = nullptr;
    is_stopped_ = true;
    waiting_.clear();
    if (more_) std::exchange(more_, nullptr)(false);
}

}  // namespace nightshift::api
