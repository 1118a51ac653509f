#include "daemon/engine.h"

#include <spdlog/spdlog.h>

#include <cstdlib>

#include "api/policy_codec.h"
#include "scheduler/ledger.h"

namespace nightshift::daemon {

Engine::Engine(Machine machine)
    : machine_(std::move(machine)),
      loop_(machine_.io, machine_.store, machine_.clock, machine_.alarms),
      crew_(loop_, complete(machine_.workplace)),
      devices_(
          machine_.make_probe([this](const std::string& uuid) { return crew_.claimed_on(uuid); }),
          machine_.clock,
          [this](const DeviceSample& sample, Bytes foreign) { return crew_.attribute(sample, foreign); }),
      dispatcher_(loop_, crew_, devices_, machine_.zones),
      schedules_(
          loop_, machine_.zones, [this](UnixMs now) { return commands_.submit_defaults(now); },
          [this](db::Store& open, const Job& job, UnixMs now) {
              return commands_.cancel_in(open, job, "schedule", now);
          },
          [this](JobId id) {
              if (const auto supervisor = crew_.find(id)) supervisor->stop(kStopGrace, "cancelled");
          }),
      zone_watch_(machine_.clock, machine_.refresh_zones,
                  [this] {
                      schedules_.reload();
                      dispatcher_.forget_plan();
                  }),
      commands_({loop_, crew_, devices_, dispatcher_, schedules_, machine_.projector, machine_.zones,
                 machine_.kinds, machine_.storage, machine_.status, machine_.stop,
                 [this](const std::string&) { machine_.policy_changed(); }}) {
    loop_.set_reserve(machine_.reserve);
    crew_.set_devices(devices_);
    loop_.add_stage(zone_watch_);
    loop_.add_stage(schedules_);
    loop_.add_stage(dispatcher_);
}

Workplace Engine::complete(Workplace workplace) {
    workplace.find_device = [this](const std::string& uuid) -> const Device* {
        for (const Device& device : devices_.devices()) {
            if (device.uuid == uuid) return &device;
        }
        return nullptr;
    };
    workplace.yield_grace = [this] { return dispatcher_.policy().preemption.grace; };
    workplace.vram_max = [this](const JobSpec& spec) {
        return budget_max(spec, dispatcher_.policy(), devices_.devices());
    };
    workplace.limits = [this] { return dispatcher_.policy().limits; };
    return workplace;
}

Status Engine::load_policy(const std::optional<std::string>& given) {
    db::Store& store = machine_.store;
    const auto version = store.setting("policy_version");
    if (!version) return version.error();
    int number = version->has_value() ? std::atoi((*version)->c_str()) : 1;
    const auto stored = store.setting("policy");
    if (!stored) return stored.error();
    std::string text = stored->value_or("{}");
    if (given) {
        auto parsed = api::parse_policy_text(*given, machine_.zones);
        if (!parsed) return parsed.error();
        if (*given != text) ++number;
        text = *given;
        NIGHTSHIFT_TRY(store.set_setting("policy", text));
        NIGHTSHIFT_TRY(store.set_setting("policy_version", std::to_string(number)));
    }
    auto policy = api::parse_policy_text(text, machine_.zones);
    if (policy) {
        dispatcher_.set_policy(*policy);
    } else {
        spdlog::error("stored_policy_refused error=\"{}\"", policy.error().message);
        text = "{}";
    }
    commands_.set_stored_policy(text, number);
    const auto seq = store.setting("plan_seq");
    // Passes that started nothing are not written down: leave them room, so that numbers never repeat.
    if (seq && *seq) dispatcher_.set_plan_seq(std::atoll((*seq)->c_str()) + 1'000'000);
    machine_.policy_changed();
    return {};
}

void Engine::begin() {
    devices_.refresh([this](bool) { loop_.wake(); });
    crew_.refresh_devices();
}

}  // namespace nightshift::daemon
