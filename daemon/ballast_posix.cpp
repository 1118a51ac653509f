#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "daemon/ballast.h"

namespace nightshift::daemon {

bool Ballast::take_back() {
    struct stat file {};
    // Blocks count, not the size: a sparse file holds nothing back. st_blocks is in units of 512 bytes.
    if (stat(path_.c_str(), &file) == 0 && std::int64_t{file.st_blocks} * 512 >= size_.value) return true;
    const std::size_t slash = path_.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path_.substr(0, slash);
    struct statvfs disk {};
    if (statvfs(folder.c_str(), &disk) != 0) return false;
    const auto free_bytes =
        static_cast<std::int64_t>(disk.f_bavail) * static_cast<std::int64_t>(disk.f_frsize);
    if (free_bytes < 2 * size_.value) return false;
    const int fd = open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return false;
    const bool is_made = posix_fallocate(fd, 0, size_.value) == 0;
    close(fd);
    if (!is_made) unlink(path_.c_str());
    return is_made;
}

void Ballast::give_up() {
    unlink(path_.c_str());
}

}  // namespace nightshift::daemon
