#pragma once

#include <boost/asio/steady_timer.hpp>
#include <filesystem>
#include <functional>
#include <string>

#include "daemon/loop.h"
#include "scheduler/policy.h"

namespace nightshift::daemon {

/// Deletes what is past its retention: rows a little at a time, folders of jobs whose logs are too old.
/// Never what an unfinished job depends on. Thread: the loop.
class Upkeep {
  public:
    Upkeep(Loop& loop, std::function<Policy()> policy, std::string data_folder);
    void start();

  private:
    void arm();
    void run();
    /// Goes through some of the job folders, goes on from there the next time.
    void tidy_folders(UnixMs now);
    void tidy_folder(const std::filesystem::path& folder, UnixMs now);

    Loop& loop_;
    std::function<Policy()> policy_;
    std::string data_folder_;
    boost::asio::steady_timer timer_;
    std::filesystem::directory_iterator folders_;
};

}  // namespace nightshift::daemon
