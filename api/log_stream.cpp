#include "api/log_stream.h"

#include <algorithm>
#include <utility>

namespace nightshift::api {
namespace {

constexpr std::size_t kPiece = 64 * 1024;
constexpr Millis kPoll{150};  ///< how often a followed file is looked at

std::string log_path(JobId job, int attempt) {
    return "jobs/" + std::to_string(job.value) + "/" + std::to_string(attempt) + "/stdout.log";
}

struct OpenLog {
    ReadFile file;
    std::int64_t size = 0;
};

/// The logs that exist now, in order. Missing ones (no output yet, or pruned) count as empty.
std::vector<OpenLog> open_logs(Context& context, const Job& job, int only_attempt) {
    std::vector<OpenLog> logs;
    const std::string root = context.commands.status().data_folder;
    const int first = only_attempt != 0 ? only_attempt : 1;
    const int last = only_attempt != 0 ? only_attempt : job.attempt;
    for (int attempt = first; attempt <= last; ++attempt) {
        auto file = open_below(root, log_path(job.id, attempt));
        if (!file) continue;
        OpenLog log{std::move(*file), 0};
        log.size = log.file.size();
        logs.push_back(std::move(log));
    }
    return logs;
}

}  // namespace

std::int64_t log_size(Context& context, const Job& job, int only_attempt) {
    std::int64_t size = 0;
    for (const OpenLog& log : open_logs(context, job, only_attempt)) size += log.size;
    return size;
}

std::int64_t tail_offset(Context& context, const Job& job, int only_attempt, std::int64_t lines) {
    const std::vector<OpenLog> logs = open_logs(context, job, only_attempt);
    std::int64_t end = 0;
    for (const OpenLog& log : logs) end += log.size;
    if (lines == 0) return end;
    const std::int64_t floor = std::max<std::int64_t>(0, end - kTailBytesMax);
    std::int64_t file_end = end;
    // The line break at the very end closes the last line; it does not begin another.
    std::int64_t wanted = lines;
    bool is_last_byte = true;
    for (auto log = logs.rbegin(); log != logs.rend(); ++log) {
        const std::int64_t file_start = file_end - log->size;
        for (std::int64_t piece_end = log->size; piece_end > 0;) {
            const std::int64_t count = std::min<std::int64_t>(kPiece, piece_end);
            std::string bytes;
            if (log->file.read_at(piece_end - count, static_cast<std::size_t>(count), bytes) != count)
                return floor;
            for (std::int64_t i = count - 1; i >= 0; --i) {
                const std::int64_t place = file_start + piece_end - count + i;
                const bool is_break = bytes[static_cast<std::size_t>(i)] == '\n';
                if (is_break && !is_last_byte && --wanted == 0) return place + 1;
                is_last_byte = false;
                if (place <= floor) return floor;
            }
            piece_end -= count;
        }
        file_end = file_start;
    }
    return 0;
}

LogStream::LogStream(Context& context, const Job& job, LogStart start)
    : context_(context),
      start_(start),
      attempts_(job.attempt),
      is_over_(is_terminal(job.state)),
      skip_(start.offset) {}

void LogStream::cancel() {
    ready_ = nullptr;
    timer_.reset();
    listening_.reset();
}

void LogStream::next(Ready ready) {
    timer_.reset();
    Chunk chunk;
    // Order matters: whether the job is over is looked at before its files, so that nothing written in
    // between is lost.
    look_at_job();
    const bool was_over = is_over_;
    if (read_some(chunk.bytes)) return ready(std::move(chunk));
    if (was_over || !start_.follow) {
        chunk.is_end = true;
        return ready(std::move(chunk));
    }
    ready_ = std::move(ready);
    wait();
}

void LogStream::wait() {
    std::weak_ptr<LogStream> weak = weak_from_this();
    if (!listening_) {
        listening_ = context_.hub.listen([weak, job = start_.job](const HubEvent& event) {
            const auto self = weak.lock();
            if (self && event.record.job == job && event.record.seq) self->has_news_ = true;
        });
        has_news_ = true;
    }
    timer_ = context_.timers.after(kPoll, [weak] {
        const auto self = weak.lock();
        if (self && self->ready_) self->next(std::exchange(self->ready_, nullptr));
    });
}

void LogStream::look_at_job() {
    if (is_over_ || (listening_ && !has_news_)) return;
    has_news_ = false;
    const auto job = context_.queries.job(start_.job);
    if (!job || !*job) {
        is_over_ = true;
        return;
    }
    attempts_ = (*job)->attempt;
    is_over_ = is_terminal((*job)->state);
}

bool LogStream::open_next() {
    const int last = start_.only_attempt != 0 ? std::min(start_.only_attempt, attempts_) : attempts_;
    const std::string root = context_.commands.status().data_folder;
    const int first = start_.only_attempt != 0 ? start_.only_attempt : 1;
    for (int attempt = std::max(first, attempt_ + 1); attempt <= last; ++attempt) {
        auto file = open_below(root, log_path(start_.job, attempt));
        // The newest attempt's file may not be there yet: try again at the next look.
        if (!file && attempt == attempts_) return false;
        attempt_ = attempt;
        if (!file) continue;
        file_ = std::move(*file);
        at_ = 0;
        return true;
    }
    return false;
}

bool LogStream::read_some(std::string& out) {
    for (;;) {
        if (file_.is_open()) {
            if (skip_ > 0) {
                const std::int64_t skipped = std::min(skip_, file_.size() - at_);
                at_ += skipped;
                skip_ -= skipped;
            }
            const std::int64_t got = skip_ > 0 ? 0 : file_.read_at(at_, kPiece, out);
            if (got > 0) {
                at_ += got;
                return true;
            }
        }
        // A file is done once there is a later attempt.
        if (!open_next()) return false;
    }
}

}  // namespace nightshift::api
