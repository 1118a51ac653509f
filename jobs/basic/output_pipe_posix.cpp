#include "jobs/basic/output_pipe.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {
namespace {

/// What an unprivileged process may ask for (/proc/sys/fs/pipe-max-size); also what can be left in it.
constexpr int kPipeBytes = 1024 * 1024;
constexpr std::size_t kPieceBytes = 64 * 1024;

void close_one(int& fd) {
    if (fd >= 0) ::close(fd);
    fd = -1;
}

}  // namespace

OutputPipe::OutputPipe(int log_fd, Bytes max) {
    if (max.value == 0) return;
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        throw JobError("spawn_failed", std::string("cannot make a pipe for the output: ") +
                                           std::strerror(errno) + "; close other programs, then retry");
    }
    read_end_ = ends[0];
    write_end_ = ends[1];
    // The program's end stays a pipe that blocks, as programs expect.
    ::fcntl(read_end_, F_SETFL, O_NONBLOCK);
    ::fcntl(read_end_, F_SETPIPE_SZ, kPipeBytes);
    log_.emplace(log_fd, max);
}

OutputPipe::~OutputPipe() {
    close_one(read_end_);
    close_one(write_end_);
}

void OutputPipe::program_started() {
    close_one(write_end_);
    if (log_) log_->keep_room();
}

void OutputPipe::pump() {
    for (std::size_t moved = 0; moved < kPumpBytesMax;) {
        const std::size_t some = move_some();
        if (some == 0) return;
        moved += some;
    }
}

void OutputPipe::finish() {
    // No more than a full pipe: one who still writes is not waited for.
    for (std::size_t moved = 0; moved <= kPipeBytes;) {
        const std::size_t some = move_some();
        if (some == 0) break;
        moved += some;
    }
    close_one(read_end_);
    if (log_) log_->finish();
    log_.reset();
}

std::size_t OutputPipe::move_some() {
    if (read_end_ < 0) return 0;
    char piece[kPieceBytes];
    ssize_t got = 0;
    do {
        got = ::read(read_end_, piece, sizeof piece);
    } while (got < 0 && errno == EINTR);
    if (got > 0) {
        log_->write({piece, static_cast<std::size_t>(got)});
        return static_cast<std::size_t>(got);
    }
    if (got == 0) close_one(read_end_);
    return 0;
}

}  // namespace nightshift::jobs
