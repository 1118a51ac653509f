#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>

#include "api/commands.h"

namespace nightshift::api {

/// An event with the bytes that carry it over SSE, made once for all readers.
struct HubEvent {
    Commands::EventRecord record;
    std::shared_ptr<const std::string> frame;
};

/// "id: 7\nevent: job\ndata: {...}\n\n"; without the id line for events that are not stored (seq 0).
std::string sse_frame(const Commands::EventRecord& record);

/// Hands the daemon's events to every long poll, log follower and event stream. Thread: the loop.
class EventHub {
  public:
    using Listener = std::function<void(const HubEvent&)>;
    explicit EventHub(Commands& commands);
    /// Listens until the handle is destroyed, which may happen inside the listener.
    std::shared_ptr<void> listen(Listener listener);
    int listeners() const { return static_cast<int>(listeners_->size()); }

  private:
    struct Entry {
        Listener listener;
        bool is_gone = false;
    };
    using Entries = std::list<std::shared_ptr<Entry>>;
    void publish(const Commands::EventRecord& record);
    std::shared_ptr<Entries> listeners_ = std::make_shared<Entries>();
    std::shared_ptr<void> subscription_;
};

}  // namespace nightshift::api
