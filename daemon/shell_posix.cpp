#include "daemon/shell.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace nightshift::daemon {

namespace {

class PosixShell final : public Shell {
  public:
    PosixShell(boost::asio::io_context& loop, std::function<void()> stop)
        : signals_(loop, SIGTERM, SIGINT), stop_(std::move(stop)) {
        std::signal(SIGPIPE, SIG_IGN);
        std::signal(SIGHUP, SIG_IGN);
        // A write past a limit on file sizes is then refused like one on a full disk.
        std::signal(SIGXFSZ, SIG_IGN);
        listen();
    }

    void notify(const std::string& state) override {
        const char* path = std::getenv("NOTIFY_SOCKET");
        sockaddr_un address{};
        if (path == nullptr || *path == '\0' || std::strlen(path) >= sizeof address.sun_path) return;
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, path, std::strlen(path));
        // A leading '@' names a socket without a file (sd_notify(3)).
        if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
        const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0) return;
        const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + std::strlen(path));
        static_cast<void>(sendto(fd, state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                                 reinterpret_cast<const sockaddr*>(&address), length));
        close(fd);
    }

  private:
    void listen() {
        signals_.async_wait([this](const boost::system::error_code& error, int) {
            if (error) return;
            if (is_stopping_) _exit(130);
            is_stopping_ = true;
            listen();
            stop_();
        });
    }

    boost::asio::signal_set signals_;
    std::function<void()> stop_;
    bool is_stopping_ = false;
};

}  // namespace

std::unique_ptr<Shell> make_shell(boost::asio::io_context& loop, std::function<void()> stop) {
    return std::make_unique<PosixShell>(loop, std::move(stop));
}

}  // namespace nightshift::daemon
