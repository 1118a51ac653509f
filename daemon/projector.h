#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <string>
#include <vector>

#include "api/commands.h"

namespace nightshift::daemon {

/// Looks ahead and back beside the loop: one helper thread with a read-only connection of its own, so
/// that a replay of weeks delays no decision. Requests wait for each other, few of them at a time.
/// Thread of the functions and of the replies: the loop. Its end waits for the pass under way only.
class Projector {
  public:
    template <typename T>
    using Reply = std::function<void(Result<T>)>;

    Projector(boost::asio::io_context& loop, std::string database);
    ~Projector();
    Projector(const Projector&) = delete;
    Projector& operator=(const Projector&) = delete;

    /// `world` is the planner's input of this moment; the queue itself is read from the database.
    void night_contract(Snapshot world, std::vector<api::ComingJob> coming, UnixMs now, UnixMs until,
                        int futures, Reply<api::ContractAnswer> reply);
    /// `world` gives statistics and what was not recorded.
    void replay(Snapshot world, UnixMs now, api::ReplayRequest request, Reply<api::ReplayAnswer> reply);

  private:
    template <typename T>
    void run(std::function<Result<T>()> work, Reply<T> reply);

    boost::asio::io_context& loop_;
    std::string database_;
    std::atomic<bool> is_closing_ = false;
    int under_way_ = 0;
    boost::asio::thread_pool thread_{1};
};

}  // namespace nightshift::daemon
