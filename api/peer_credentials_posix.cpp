#include "api/peer_credentials.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace nightshift::api {

Role role_of_peer(int socket) {
    ucred owner{};
    socklen_t size = sizeof owner;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &owner, &size) != 0) return Role::kNone;
    return owner.uid == geteuid() || owner.uid == 0 ? Role::kAdmin : Role::kNone;
}

Status prepare_socket_path(const std::string& path) {
    const Error in_use{
        ErrorCode::kConflict, "address_in_use", "The socket " + path + " is in use.",
        "Stop the program that has it, or choose another with --socket PATH (or --socket none).", ""};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
        return Error{ErrorCode::kInvalidArgument, "path_too_long",
                     "The socket path " + path + " is longer than " +
                         std::to_string(sizeof address.sun_path - 1) + " bytes.",
                     "Choose a shorter one with --socket PATH.", ""};
    }
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    struct stat found {};
    if (lstat(path.c_str(), &found) != 0) return {};
    if (!S_ISSOCK(found.st_mode)) return in_use;
    const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (probe < 0) return in_use;
    const int answer = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    const bool is_dead = answer != 0 && errno == ECONNREFUSED;
    ::close(probe);
    if (!is_dead) return in_use;
    ::unlink(path.c_str());
    return {};
}

void remove_socket(const std::string& path) {
    ::unlink(path.c_str());
}

PrivateUmask::PrivateUmask() : before_(::umask(0177)) {}
PrivateUmask::~PrivateUmask() {
    ::umask(static_cast<mode_t>(before_));
}

}  // namespace nightshift::api
