#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "api/commands.h"
#include "db/store.h"

namespace nightshift::daemon {

/// Hands events to whoever listens. Thread: the loop.
class EventHub {
  public:
    using Record = api::Commands::EventRecord;
    using Listener = std::function<void(const Record&)>;

    std::shared_ptr<void> subscribe(Listener listener);
    void publish(const Record& record) const;
    /// A stored event, after its commit.
    void publish_stored(const db::StoredEvent& event) const;
    bool has_listeners() const { return !list_->listeners.empty(); }

  private:
    struct List {
        std::map<std::int64_t, Listener> listeners;
        std::int64_t next = 0;
    };
    std::shared_ptr<List> list_ = std::make_shared<List>();
};

}  // namespace nightshift::daemon
