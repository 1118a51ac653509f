#include "daemon/instance_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace nightshift::daemon {
namespace {

constexpr int kLockTriesMax = 100;
constexpr useconds_t kLockPauseUs = 20'000;

/// A daemon that was killed holds the lock until the kernel has taken it apart, and so does a child that
/// it was starting, until that one's exec. Both are gone well within these two seconds.
bool lock_soon(int fd) {
    for (int i = 0; i < kLockTriesMax; ++i) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) return true;
        if (errno != EWOULDBLOCK && errno != EINTR) return false;
        usleep(kLockPauseUs);
    }
    return false;
}

}  // namespace

Result<std::unique_ptr<InstanceLock>> InstanceLock::take(const std::string& path) {
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return Error{ErrorCode::kUnavailable, "data_folder_unusable",
                     "Cannot write " + path + ": " + std::strerror(errno) + ".",
                     "Check the owner and the permissions of the data folder.", ""};
    }
    if (!lock_soon(fd)) {
        close(fd);
        return Error{
            ErrorCode::kConflict, "data_folder_in_use", "Another nightshiftd is running on this data folder.",
            "Use the running one (`nightshift status`), stop it (`nightshift down`), or choose another "
            "folder with --data.",
            ""};
    }
    return std::unique_ptr<InstanceLock>(new InstanceLock(fd));
}

InstanceLock::~InstanceLock() {
    close(fd_);
}

}  // namespace nightshift::daemon
