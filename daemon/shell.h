#pragma once

#include <functional>
#include <memory>
#include <string>

namespace boost::asio {
class io_context;
}

namespace nightshift::daemon {

/// The service manager's side of the process: asks us to stop, hears how we are.
class Shell {
  public:
    virtual ~Shell() = default;
    /// "READY=1", "STOPPING=1", "STATUS=...": nothing happens without a service manager.
    virtual void notify(const std::string& state) = 0;
};

/// Calls `stop` on the loop's thread at the first request to end (SIGTERM, SIGINT); a second one ends
/// the process at once. Also ignores SIGPIPE, SIGHUP and SIGXFSZ.
std::unique_ptr<Shell> make_shell(boost::asio::io_context& loop, std::function<void()> stop);

}  // namespace nightshift::daemon
