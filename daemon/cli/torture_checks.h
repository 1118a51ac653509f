#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_set>

#include "daemon/cli/client.h"
#include "daemon/cli/torture_jobs.h"
#include "daemon/cli/torture_report.h"
#include "scheduler/units.h"

namespace nightshift::cli {

/// Holds the promises against what the daemon says, what the jobs wrote and which processes exist. Once the
/// submits of a round are over: settle(), then check_round(). Thread: one.
class TortureChecks {
  public:
    TortureChecks(std::string data_folder, TortureJobs& jobs, TortureReport& report);

    /// Waits until the round's jobs have ended and no worker is left, or reports that they do not. False when
    /// somebody asked for an end meanwhile.
    bool settle(Client client, Millis limit = seconds(90));

    /// Every promise about the round's jobs.
    void check_round(Client client);

    /// Every job since the beginning is still there, once; nothing is there that nobody submitted.
    void check_all(Client client);

    /// While jobs run: whatever is said to run has its process.
    void check_processes(Client client);

  private:
    void check_stored(const nlohmann::json& job, const TortureJob& wanted);
    void check_record();
    void check_events(Client& client);
    void check_invariants(Client& client);

    std::string data_folder_;
    TortureJobs& jobs_;
    TortureReport& report_;
    std::int64_t record_read_ = 0;            ///< bytes of the record that were looked at
    std::unordered_set<std::int64_t> ended_;  ///< jobs with a line in the record
    std::int64_t last_event_ = 0, last_job_ = 0;
};

}  // namespace nightshift::cli
