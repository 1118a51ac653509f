#include "api/event_stream.h"

#include <utility>

namespace nightshift::api {
namespace {

constexpr std::size_t kFramesBeforeSamplesGo = 256;
constexpr std::size_t kChunkBytes = 64 * 1024;

std::shared_ptr<const std::string> frame_of(std::string text) {
    return std::make_shared<const std::string>(std::move(text));
}

}  // namespace

EventStream::EventStream(Context& context) : context_(context) {
    ++context_.counters.sse_clients;
}
EventStream::~EventStream() {
    --context_.counters.sse_clients;
}

Status EventStream::begin(std::int64_t after) {
    push(frame_of("retry: 2000\n: connected\n\n"));
    const auto last = context_.queries.last_event();
    if (!last) return last.error();
    last_seq_ = last->value;
    if (after >= 0) {
        auto missed = context_.queries.events_after(EventSeq{after}, kReplayEventsMax + 1);
        if (!missed) return missed.error();
        const bool is_too_old =
            !*missed || static_cast<int>((*missed)->size()) > kReplayEventsMax || after > last_seq_;
        if (is_too_old) {
            push_resync();
        } else {
            for (const db::StoredEvent& event : **missed) {
                Commands::EventRecord record{event.seq, event.at,      event.topic, event.kind,
                                             event.job, event.attempt, event.actor, event.data_json};
                frames_.push_back(frame_of(sse_frame(record)));
                bytes_ += frames_.back()->size();
                last_seq_ = std::max(last_seq_, event.seq.value);
            }
        }
    }
    frames_max_ += frames_.size();
    bytes_max_ += bytes_;
    std::weak_ptr<EventStream> weak = weak_from_this();
    listening_ = context_.hub.listen([weak](const HubEvent& event) {
        if (const auto self = weak.lock()) self->on_event(event);
    });
    return {};
}

void EventStream::push_resync() {
    push(frame_of("id: " + std::to_string(last_seq_) +
                  "\nevent: resync\ndata: {\"seq\":" + std::to_string(last_seq_) + "}\n\n"));
}

void EventStream::push(std::shared_ptr<const std::string> frame) {
    bytes_ += frame->size();
    frames_.push_back(std::move(frame));
}

void EventStream::on_event(const HubEvent& event) {
    const std::int64_t seq = event.record.seq.value;
    if (is_dropped_ || (seq != 0 && seq <= last_seq_)) return;
    const bool is_sample = seq == 0;
    if (is_sample && frames_.size() > kFramesBeforeSamplesGo) {
        ++context_.counters.events_dropped;
        return;
    }
    if (!is_sample) last_seq_ = seq;
    if (frames_.size() >= frames_max_ || bytes_ + event.frame->size() > bytes_max_) {
        context_.counters.events_dropped += static_cast<std::int64_t>(frames_.size()) + 1;
        frames_.clear();
        bytes_ = 0;
        is_dropped_ = true;
        push_resync();
    } else {
        push(event.frame);
    }
    flush();
}

void EventStream::flush() {
    if (!ready_ || frames_.empty()) return;
    Chunk chunk;
    while (!frames_.empty() && chunk.bytes.size() < kChunkBytes) {
        chunk.bytes += *frames_.front();
        bytes_ -= frames_.front()->size();
        frames_.pop_front();
    }
    chunk.is_end = is_dropped_ && frames_.empty();
    heartbeat_.reset();
    std::exchange(ready_, nullptr)(std::move(chunk));
}

void EventStream::arm_heartbeat() {
    std::weak_ptr<EventStream> weak = weak_from_this();
    heartbeat_ = context_.timers.after(context_.options.limits.heartbeat, [weak] {
        const auto self = weak.lock();
        if (!self || !self->ready_) return;
        Chunk chunk;
        chunk.bytes = ": heartbeat\n\n";
        std::exchange(self->ready_, nullptr)(std::move(chunk));
    });
}

void EventStream::next(Ready ready) {
    ready_ = std::move(ready);
    if (frames_.empty()) {
        frames_max_ = kQueuedFramesMax;
        bytes_max_ = kQueuedBytesMax;
        arm_heartbeat();
    }
    flush();
}

void EventStream::cancel() {
    listening_.reset();
    heartbeat_.reset();
    is_dropped_ = true;
    ready_ = nullptr;
}

}  // namespace nightshift::api
