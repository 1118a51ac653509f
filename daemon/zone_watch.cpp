#include "daemon/zone_watch.h"

#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

namespace nightshift::daemon {

namespace {

constexpr Millis kLookEvery = seconds(1);

}  // namespace

ZoneWatch::ZoneWatch(const Clock& clock, Refresh refresh, std::function<void()> on_change)
    : clock_(clock),
      refresh_(std::move(refresh)),
      on_change_(std::move(on_change)),
      looked_at_(clock.steady()) {}

Status ZoneWatch::decide(db::Store& store, UnixMs now) {
    if (const Millis steady = clock_.steady(); steady - looked_at_ >= kLookEvery) {
        looked_at_ = steady;
        for (std::string& zone : refresh_()) {
            spdlog::info("time_zone_changed zone={}", zone);
            untold_.push_back(std::move(zone));
        }
    }
    if (untold_.empty()) return {};
    on_change_();
    const std::string data = nlohmann::json{{"zones", untold_}}.dump();
    const auto event = store.append_event({"schedule", "zones_changed", "daemon", data}, {}, 0, now);
    if (!event) return event.error();
    return {};
}

}  // namespace nightshift::daemon
