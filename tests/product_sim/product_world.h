#pragma once

#include <memory>
#include <optional>
#include <string>

#include "tests/product_sim/sim_gpus.h"
#include "tests/product_sim/users.h"
#include "tests/support/scratch_folder.h"

namespace nightshift::tests {

/// What one night may bring beyond work and deaths of the daemon.
struct NightOptions {
    bool has_power_cuts = true;
    bool has_full_disk = true;
    bool has_clock_jumps = true;
    bool has_gpu_faults = true;
    bool is_loud = false;  ///< prints the diary
};

/// One seeded night of the whole product in one thread: the real daemon parts on a simulated machine that
/// kills them, takes their power, their disk and their time. run() throws Broken with the promise that did
/// not hold.
class ProductWorld {
  public:
    explicit ProductWorld(std::uint64_t seed, NightOptions options = {});

    /// Hours of arrivals, deaths and faults, then quiet, in which every job has to come to its end.
    void run();

    const Diary& diary() const { return diary_; }
    const Observer& observer() const { return observer_; }
    const Users& users() const { return users_; }
    int deaths() const { return deaths_; }
    int power_cuts() const { return power_cuts_; }
    int deaths_at_points() const { return deaths_at_points_; }
    int full_disks() const { return full_disks_; }

  private:
    void run_until(Millis end);
    void settle();
    /// Runs code of the daemon, which may die in it.
    template <typename Code>
    void guarded(Code&& code);
    void look();
    bool is_well() const;

    void start_daemon();
    void die(const std::string& why);
    void lose_power();
    void stop_daemon();
    void come_back(Millis wait);

    void plan_users();
    void plan_death();
    void plan_faults();
    void arm_point();
    void plan_power_cut();
    void plan_full_disk();
    void fill_disk();
    void drain();
    Millis some_seconds(int low, int high) { return seconds(dice_.between(low, high)); }

    std::uint64_t seed_;
    NightOptions options_;
    Dice dice_;
    Agenda agenda_;
    Diary diary_;
    ScratchFolder folder_;
    FixedZones zones_;
    std::vector<api::KindInfo> kinds_;
    SimDisk disk_;
    SimMachine machine_;
    bool has_driver_;  ///< else the daemon's own simulated GPU
    SimGpus gpus_;
    Observer observer_;
    Users users_;
    Ground ground_;
    std::unique_ptr<Life> life_;
    bool is_calm_ = false;
    bool is_power_cut_planned_ = false;
    std::optional<Millis> well_since_;  ///< the daemon runs and its disk takes everything
    std::int64_t commits_seen_ = 0;
    Millis set_back_;  ///< by how much the clock was set back, all times together
    int deaths_ = 0, power_cuts_ = 0, deaths_at_points_ = 0, full_disks_ = 0;
};

}  // namespace nightshift::tests
