#pragma once

#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/cli/torture_checks.h"
#include "daemon/cli/torture_daemon.h"
#include "daemon/cli/torture_jobs.h"
#include "daemon/cli/torture_report.h"

namespace nightshift::cli {

/// One daemon and what is done to it. Each round: jobs come in, one thing goes wrong, the daemon is up again,
/// everything is checked. Thread: one.
class TortureNight {
  public:
    /// Works in `folder`, which exists.
    TortureNight(std::filesystem::path folder, std::uint64_t seed, TortureReport& report);

    /// Starts the daemon and measures it while nothing goes wrong, for about `time`.
    void measure(Millis time);

    /// One round; what it did, in words. Empty when somebody asked for an end.
    std::string round();

    /// The last look at everything, and the way down.
    void finish();

  private:
    using Act = std::string (TortureNight::*)();

    std::string kill_daemon();
    std::string kill_while_it_starts();
    std::string kill_workers();
    std::string die_at_a_crash_point();
    std::string fill_the_disk();
    std::string jump_the_clock();
    std::string pull_the_plug();

    int any(int least, int most) {
        return least + static_cast<int>(chance_() % static_cast<std::uint64_t>(most - least + 1));
    }
    void restart();
    void bring_up();
    void set_clock(std::int64_t shift_ms);
    void measure_start(std::int64_t until_ms);

    std::filesystem::path folder_;
    std::uint64_t seed_;
    std::mt19937_64 chance_;
    TortureReport& report_;
    TorturedDaemon daemon_;
    TortureJobs jobs_;
    TortureChecks checks_;
    std::vector<Act> acts_;                       ///< in the order of this cycle
    std::vector<std::string_view> crash_points_;  ///< in the order of this cycle
    int rounds_ = 0;
};

}  // namespace nightshift::cli
