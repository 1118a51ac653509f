#include "daemon/instance_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace nightshift::daemon {

Result<std::unique_ptr<InstanceLock>> InstanceLock::take(const std::string& path) {
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return Error{ErrorCode::kUnavailable, "data_folder_unusable",
                     "Cannot write " + path + ": " + std::strerror(errno) + ".",
                     "Check the owner and the permissions of the data folder.", ""};
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
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
