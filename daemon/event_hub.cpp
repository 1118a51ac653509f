#include "daemon/event_hub.h"

#include <vector>

namespace nightshift::daemon {

std::shared_ptr<void> EventHub::subscribe(Listener listener) {
    const std::int64_t key = list_->next++;
    list_->listeners.emplace(key, std::move(listener));
    // The handle may outlive the hub.
    return {nullptr, [weak = std::weak_ptr<List>(list_), key](void*) {
                if (const auto list = weak.lock()) list->listeners.erase(key);
            }};
}

void EventHub::publish(const Record& record) const {
    // Copied keys: a listener may end its own or another subscription.
    std::vector<std::int64_t> keys;
    for (const auto& [key, listener] : list_->listeners) keys.push_back(key);
    for (const std::int64_t key : keys) {
        const auto found = list_->listeners.find(key);
        if (found == list_->listeners.end()) continue;
        const Listener listener = found->second;
        listener(record);
    }
}

void EventHub::publish_stored(const db::StoredEvent& event) const {
    if (!has_listeners()) return;
    Record record;
    record.seq = event.seq;
    record.at = event.at;
    record.topic = event.topic;
    record.kind = event.kind;
    record.job = event.job;
    record.attempt = event.attempt;
    record.actor = event.actor;
    record.data_json = event.data_json;
    publish(record);
}

}  // namespace nightshift::daemon
