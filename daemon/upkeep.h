#pragma once

#include <boost/asio/steady_timer.hpp>
#include <filesystem>
#include <functional>
#include <string>

#include "daemon/loop.h"
#include "daemon/storage_keeper.h"
#include "scheduler/policy.h"

namespace nightshift::daemon {

/// Deletes what is past its retention: rows, logs and checkpoints, each on a clock of its own and a little
/// at a time; backs the database up once a day. Never deletes what an unfinished job depends on. Thread: the
/// loop.
class Upkeep {
  public:
    Upkeep(Loop& loop, StorageKeeper& storage, std::function<Policy()> policy, std::string data_folder);
    /// One round, as the timer does it.
    void run();
    void start();

  private:
    void arm();
    /// One backup a day.
    void back_up(UnixMs now);
    void tidy_checkpoints(JobId id, const std::filesystem::path& folder, UnixMs now);
    /// Goes through some of the job folders, goes on from there the next time.
    void tidy_folders(UnixMs now);
    void tidy_folder(const std::filesystem::path& folder, UnixMs now);

    Loop& loop_;
    StorageKeeper& storage_;
    std::function<Policy()> policy_;
    std::string data_folder_;
    boost::asio::steady_timer timer_;
    std::filesystem::directory_iterator folders_;
};

}  // namespace nightshift::daemon
