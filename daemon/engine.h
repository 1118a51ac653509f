#pragma once

#include <memory>

#include "daemon/commands_impl.h"
#include "daemon/gpu/device_book.h"
#include "daemon/zone_watch.h"

namespace nightshift::daemon {

/// What an engine stands on: the real machine, or one that is simulated. All of it outlives the engine.
struct Machine {
    boost::asio::io_context& io;
    const Clock& clock;
    Alarms& alarms;
    const TimeZones& zones;
    db::Store& store;
    Reserve& reserve;
    const std::vector<api::KindInfo>& kinds;
    api::Storage& storage;
    Projector& projector;
    Workplace workplace;  ///< all but its functions
    std::function<std::unique_ptr<GpuProbe>(GpuProbe::Claimed)> make_probe;
    std::function<api::ServerStatus()> status;
    std::function<void()> stop;            ///< ends the daemon soon
    std::function<void()> policy_changed;  ///< writes policy.json
    ZoneWatch::Refresh refresh_zones;
};

/// The parts of the daemon that decide and act, put together; HTTP, files and signals are around it.
/// Thread: the loop.
class Engine {
  public:
    explicit Engine(Machine machine);
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// The policy in force: `given` replaces the stored one. Fails: invalid_argument for a text that
    /// is no policy, with the error of the parser.
    Status load_policy(const std::optional<std::string>& given);
    /// Takes the first samples and then plans for the first time: foreign memory is not given away.
    void begin();

    Loop& loop() { return loop_; }
    Crew& crew() { return crew_; }
    DeviceBook& devices() { return devices_; }
    Dispatcher& dispatcher() { return dispatcher_; }
    CommandsImpl& commands() { return commands_; }

  private:
    Workplace complete(Workplace workplace);

    Machine machine_;
    Loop loop_;
    Crew crew_;
    DeviceBook devices_;
    Dispatcher dispatcher_;
    ScheduleRunner schedules_;
    ZoneWatch zone_watch_;
    CommandsImpl commands_;
};

}  // namespace nightshift::daemon
