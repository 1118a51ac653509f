#pragma once

#include <string>

#include "api/http_types.h"
#include "scheduler/result.h"

namespace nightshift::api {

/// The role of the process at the other end of a Unix socket, told by the kernel: the daemon's own
/// user and root are admins, everybody else has to show a token. `socket` is the native handle.
Role role_of_peer(int socket);

/// Removes the socket a daemon left behind that no longer runs. Fails: conflict "address_in_use" when
/// something answers there or when the path is no socket.
Status prepare_socket_path(const std::string& path);
void remove_socket(const std::string& path);

/// While it lives, new files get no rights for others: the socket is never wider than 0600.
class PrivateUmask {
  public:
    PrivateUmask();
    ~PrivateUmask();
    PrivateUmask(const PrivateUmask&) = delete;
    PrivateUmask& operator=(const PrivateUmask&) = delete;

  private:
    unsigned before_ = 0;
};

}  // namespace nightshift::api
