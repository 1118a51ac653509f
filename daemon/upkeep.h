#pragma once

#include <boost/asio/steady_timer.hpp>
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

    Loop& loop_;
    std::function<Policy()> policy_;
    std::string data_folder_;
    boost::asio::steady_timer timer_;
};

}  // namespace nightshift::daemon
