#include "api/event_hub.h"

#include <vector>

#include <nlohmann/json.hpp>

#include "api/rfc3339.h"
#include "api/strict_json.h"

namespace nightshift::api {

std::string sse_frame(const Commands::EventRecord& record) {
    nlohmann::ordered_json data;
    if (record.seq) data["seq"] = record.seq.value;
    data["at"] = format_time(record.at);
    data["kind"] = record.kind;
    if (record.job) data["job"] = record.job.value;
    if (record.attempt != 0) data["attempt"] = record.attempt;
    if (!record.actor.empty()) data["actor"] = record.actor;
    auto details = nlohmann::ordered_json::parse(record.data_json, nullptr, false);
    data["data"] = details.is_discarded() ? nlohmann::ordered_json::object() : std::move(details);
    std::string frame;
    if (record.seq) frame += "id: " + std::to_string(record.seq.value) + "\n";
    return frame + "event: " + record.topic + "\ndata: " + dump_json(data) + "\n\n";
}

EventHub::EventHub(Commands& commands) {
    subscription_ = commands.subscribe([this](const Commands::EventRecord& record) { publish(record); });
}

std::shared_ptr<void> EventHub::listen(Listener listener) {
    auto entry = std::make_shared<Entry>(Entry{std::move(listener)});
    listeners_->push_back(entry);
    // The handle may outlive the hub, so it holds the list and not the hub.
    return std::shared_ptr<void>(entry.get(), [entry, list = std::weak_ptr(listeners_)](void*) {
        entry->is_gone = true;
        if (const auto entries = list.lock()) entries->remove(entry);
    });
}

void EventHub::publish(const Commands::EventRecord& record) {
    if (listeners_->empty()) return;
    const HubEvent event{record, std::make_shared<const std::string>(sse_frame(record))};
    const std::vector<std::shared_ptr<Entry>> now(listeners_->begin(), listeners_->end());
    for (const auto& entry : now) {
        if (!entry->is_gone) entry->listener(event);
    }
}

}  // namespace nightshift::api
