#pragma once

#include <deque>
#include <memory>
#include <string>

#include "api/context.h"
#include "api/http_types.h"

namespace nightshift::api {

inline constexpr int kReplayEventsMax = 10'000;         ///< further back: `resync`
inline constexpr std::size_t kQueuedFramesMax = 4'000;  ///< of one slow reader
inline constexpr std::size_t kQueuedBytesMax = 1024 * 1024;

/// One reader of GET /api/v1/events. Stored events after `after` come first, out of the event log;
/// then what happens. A reader that does not keep up gets `resync` and is let go; progress and GPU
/// samples are left out before that. Thread: the loop.
class EventStream : public BodyStream, public std::enable_shared_from_this<EventStream> {
  public:
    explicit EventStream(Context& context);
    ~EventStream() override;
    /// `after` < 0: only what happens from now on.
    Status begin(std::int64_t after);
    void next(Ready ready) override;
    void cancel() override;

  private:
    void push(std::shared_ptr<const std::string> frame);
    void push_resync();
    void on_event(const HubEvent& event);
    void flush();
    void arm_heartbeat();

    Context& context_;
    std::deque<std::shared_ptr<const std::string>> frames_;
    std::size_t bytes_ = 0;
    std::size_t frames_max_ = kQueuedFramesMax;  ///< more while the replay has not been read
    std::size_t bytes_max_ = kQueuedBytesMax;
    std::int64_t last_seq_ = 0;
    bool is_dropped_ = false;
    Ready ready_;
    std::shared_ptr<void> listening_, heartbeat_;
};

}  // namespace nightshift::api
