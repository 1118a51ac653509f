#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <string>
#include <vector>

#include "api/storage.h"
#include "scheduler/clock.h"

namespace nightshift::daemon {

/// Checks and copies the database beside the loop: one thread of its own with read-only connections.
/// Thread: the loop; replies come there.
class StorageKeeper final : public api::Storage {
  public:
    static constexpr std::size_t kBackupsKept = 7;

    /// `database` and `folder` are relative to the data folder, which is the current one.
    StorageKeeper(boost::asio::io_context& io, const Clock& clock, std::string database, std::string folder);
    /// Waits for what is under way.
    ~StorageKeeper() override;

    void self_check(Reply<std::vector<db::CheckResult>> reply) override;
    void back_up(Reply<api::BackupInfo> reply) override;
    std::vector<api::BackupInfo> backups() const override;

  private:
    boost::asio::io_context& io_;
    const Clock& clock_;
    std::string database_, folder_;
    boost::asio::thread_pool thread_{1};
};

}  // namespace nightshift::daemon
