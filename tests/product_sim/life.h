#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/engine.h"
#include "db/sqlite_store.h"
#include "tests/product_sim/sim_disk.h"
#include "tests/product_sim/sim_machine.h"
#include "tests/support/fixed_zones.h"

namespace nightshift::tests {

/// Thrown by a crash point: the daemon is dead at this very moment.
struct DaemonDied {};

/// What every daemon of a night stands on.
struct Ground {
    Agenda& agenda;
    SimMachine& machine;
    SimDisk& disk;
    const TimeZones& zones;
    const std::vector<api::KindInfo>& kinds;
    std::string data_folder;
    std::function<std::unique_ptr<daemon::GpuProbe>(daemon::GpuProbe::Claimed)> make_probe;
};

/// One daemon, from its start to its end: the real store, engine and recovery on the simulated ground, put
/// together in the order of daemon.cpp. Destroying it is a death, unless stop() came before.
class Life {
  public:
    explicit Life(const Ground& ground);
    ~Life();

    Status start();
    /// Runs one handler that is ready. False: there is none.
    bool run_one();
    /// As on SIGTERM: what is pending is stored, jobs run on.
    void stop();
    /// `nightshift down` has come to its end.
    bool wants_to_stop() const { return wants_to_stop_; }
    /// The database was found damaged, which must never be.
    const std::optional<Error>& damage() const { return damage_; }

    daemon::Engine& engine() { return *engine_; }
    db::Connection& connection() { return dynamic_cast<db::SqliteStore&>(*store_).connection(); }
    db::Store& store() { return *store_; }

  private:
    /// Nobody asks for checks and copies here; db tests do.
    struct NoStorage final : api::Storage {
        void self_check(Reply<std::vector<db::CheckResult>>) override {}
        void back_up(Reply<api::BackupInfo>) override {}
        std::vector<api::BackupInfo> backups() const override { return {}; }
    };
    void request_stop();

    const Ground& ground_;
    boost::asio::io_context io_{1};
    NoStorage storage_;
    std::unique_ptr<daemon::Projector> projector_;
    std::unique_ptr<db::Store> store_;
    std::unique_ptr<daemon::Engine> engine_;
    std::optional<Error> damage_;
    bool wants_to_stop_ = false;
};

}  // namespace nightshift::tests
