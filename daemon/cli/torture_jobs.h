#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "daemon/cli/torture_report.h"
#include "scheduler/units.h"

namespace nightshift::cli {

/// A job that the daemon has acknowledged, and how it has to end.
struct TortureJob {
    std::string name;
    int exit_code = 0;
};

/// Submits small jobs that append their number to a record when they end, each under its own key until it is
/// acknowledged, whatever happens to the daemon meanwhile. Threads: two of its own; the functions belong to
/// the thread that made it.
class TortureJobs {
  public:
    TortureJobs(std::string data_folder, std::string record_path, std::uint64_t seed, TortureReport& report);
    ~TortureJobs();

    /// Submitting goes on until end_round(), at most kJobsPerThread jobs from each thread.
    void begin_round(int round);
    /// No new jobs from here on; waits until what is under way is acknowledged, or gives up after `limit`
    /// and says so in the report.
    void end_round(Millis limit = seconds(60));

    /// The worker of this job may be killed: then its end may be "lost".
    void may_lose(std::int64_t job);
    bool is_lossy(std::int64_t job) const { return lossy_.contains(job); }

    /// Acknowledged in the last round, by id.
    const std::map<std::int64_t, TortureJob>& of_round() const { return round_; }
    /// Acknowledged since the beginning: name by id.
    const std::unordered_map<std::int64_t, std::string>& all() const { return all_; }
    std::int64_t newest_id() const { return newest_id_; }
    std::int64_t refusals() const { return refusals_; }  ///< answers "no room" (507) so far

    /// Acknowledges a job that somebody else submitted, which leaves no line in the record.
    void add(std::int64_t id, const std::string& name) { all_[id] = name; }
    const std::string& record_path() const { return record_path_; }

  private:
    static constexpr int kThreads = 2;
    static constexpr int kJobsPerThread = 20;

    void submit_round(int round, int thread, std::uint64_t seed);

    std::string data_folder_, record_path_;
    std::uint64_t seed_;
    TortureReport& report_;
    std::vector<std::thread> threads_;
    std::mutex mutex_;  ///< of round_
    std::map<std::int64_t, TortureJob> round_;
    std::unordered_map<std::int64_t, std::string> all_;
    std::set<std::int64_t> lossy_;
    std::atomic<bool> is_over_{false}, is_abandoned_{false};
    std::atomic<std::int64_t> give_up_at_ms_{0};
    std::atomic<std::int64_t> newest_id_{0}, refusals_{0};
};

/// The ids in a record's text, a line each; what is no line of ours is -1.
std::vector<std::int64_t> jobs_in_record(const std::string& text);

}  // namespace nightshift::cli
