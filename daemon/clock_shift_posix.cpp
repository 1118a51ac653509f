#include "daemon/clock_shift.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace nightshift::daemon {

namespace {

constexpr std::size_t kFileBytes = sizeof(std::atomic<std::int64_t>);
static_assert(std::atomic<std::int64_t>::is_always_lock_free && kFileBytes == 8);

}  // namespace

ClockShift::ClockShift() {
    const char* path = std::getenv("NIGHTSHIFT_CLOCK_SHIFT");
    if (path == nullptr || *path == '\0') return;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat file {};
    const bool is_whole = fd >= 0 && fstat(fd, &file) == 0 && file.st_size == static_cast<off_t>(kFileBytes);
    void* page = is_whole ? mmap(nullptr, kFileBytes, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (fd >= 0) close(fd);
    if (page == MAP_FAILED) {
        throw std::runtime_error("NIGHTSHIFT_CLOCK_SHIFT names no readable file of eight bytes: " +
                                 std::string(path));
    }
    milliseconds_ = static_cast<const std::atomic<std::int64_t>*>(page);
}

ClockShift::~ClockShift() {
    if (milliseconds_ == nullptr) return;
    munmap(const_cast<std::atomic<std::int64_t>*>(milliseconds_), kFileBytes);
}

}  // namespace nightshift::daemon
