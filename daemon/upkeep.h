#pragma once

#include <boost/asio/steady_timer.hpp>
#include <filesystem>
#include <functional>
#include <memory>
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
    /// Forgets some of what is past its retention.
    void tidy();
    /// One backup a day.
    void back_up(UnixMs now);
    void tidy_checkpoints(JobId id, const std::filesystem::path& folder, UnixMs now);
    /// Goes through `count` of the job folders, some at a time; the next call goes on from there.
    void tidy_folders(int count);
    void tidy_folder(const std::filesystem::path& folder, UnixMs now);

    Loop& loop_;
    StorageKeeper& storage_;
    std::function<Policy()> policy_;
    std::string data_folder_;
    boost::asio::steady_timer timer_;
    std::filesystem::directory_iterator folders_;
    int rounds_ = 0;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< for what is posted
};

}  // namespace nightshift::daemon
