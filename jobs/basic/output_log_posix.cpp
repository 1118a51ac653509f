#include "jobs/basic/output_log.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "jobs/runtime/clock.h"

namespace nightshift::jobs {
namespace {

/// Room behind the log that is always kept back, so that a full disk cannot silence its own marker.
constexpr std::int64_t kWordsRoom = 4096;
/// Room is taken in steps that grow with the log: one system call for many writes, little for short logs.
constexpr std::int64_t kStepMin = 16 * 1024;
constexpr std::int64_t kStepMax = 1024 * 1024;
constexpr std::int64_t kLookAgainEvery_ms = 1000;

std::int64_t size_of(int fd) {
    struct stat status {};
    return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) ? status.st_size : -1;
}

}  // namespace

OutputLog::OutputLog(int fd, Bytes max) : fd_(fd), max_(max.value) {}

void OutputLog::keep_room() {
    static_cast<void>(has_room_for(0));
}

void OutputLog::write(std::string_view bytes) {
    const auto room = static_cast<std::size_t>(std::max<std::int64_t>(0, max_ - accepted_));
    const std::string_view first = bytes.substr(0, room);
    if (!first.empty()) {
        accepted_ += static_cast<std::int64_t>(first.size());
        put(first);
    }
    if (first.size() == bytes.size()) return;
    if (beyond_ == 0) {
        say("the output passed " + format_bytes({max_}) +
            "; from here on only its end is kept (limits.log of the policy)");
    }
    keep_end(bytes.substr(first.size()));
}

void OutputLog::finish() {
    look_again_at_ = 0;
    if (refused_ > 0 && has_room_for(0)) static_cast<void>(end_disk_gap());
    if (beyond_ > 0) {
        if (end_.size() > kLogTailBytesMax) end_.erase(0, end_.size() - kLogTailBytesMax);
        // From the start of a line, where there is one.
        const std::size_t line = end_.find('\n');
        const bool is_cut = beyond_ > static_cast<std::int64_t>(end_.size());
        if (is_cut && line != std::string::npos && line + 1 < end_.size()) end_.erase(0, line + 1);
        const std::int64_t dropped = beyond_ - static_cast<std::int64_t>(end_.size());
        if (dropped > 0) {
            say("dropped " + std::to_string(dropped) + " bytes of output, because it passed " +
                format_bytes({max_}) + "; its end follows");
        }
        put(end_);
    }
    if (refused_ > 0) static_cast<void>(end_disk_gap());
    const std::int64_t size = size_of(fd_);
    // Cut where it ends already: that gives back what was reserved behind the end.
    if (can_reserve_ && size >= 0) static_cast<void>(::ftruncate(fd_, size));
    reserved_to_ = 0;
}

void OutputLog::put(std::string_view bytes) {
    if (bytes.empty()) return;
    if (has_room_for(bytes.size()) && (refused_ == 0 || end_disk_gap())) return put_all(bytes);
    if (refused_ == 0) say("this disk is full; output is dropped until there is room again");
    refused_ += static_cast<std::int64_t>(bytes.size());
}

/// Into room that is there. A disk that refuses all the same counts as full.
void OutputLog::put_all(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) {
            if (refused_ == 0) look_again_at_ = steady_now().value + kLookAgainEvery_ms;
            refused_ += static_cast<std::int64_t>(bytes.size());
            return;
        }
        is_line_open_ = bytes[static_cast<std::size_t>(written) - 1] != '\n';
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
}

/// Words of ours use the room that is kept back; what a disk without it refuses is lost.
bool OutputLog::say(const std::string& words) {
    const std::string line = (is_line_open_ ? "\nnightshift: " : "nightshift: ") + words + "\n";
    if (::write(fd_, line.data(), line.size()) <= 0) return false;
    is_line_open_ = false;
    return true;
}

/// False: the disk takes not even that, so the gap goes on.
bool OutputLog::end_disk_gap() {
    if (!say("dropped " + std::to_string(refused_) + " bytes of output, because this disk was full"))
        return false;
    refused_ = 0;
    return true;
}

void OutputLog::keep_end(std::string_view bytes) {
    beyond_ += static_cast<std::int64_t>(bytes.size());
    if (bytes.size() > kLogTailBytesMax) bytes.remove_prefix(bytes.size() - kLogTailBytesMax);
    end_ += bytes;
    if (end_.size() > 2 * kLogTailBytesMax) end_.erase(0, end_.size() - kLogTailBytesMax);
}

bool OutputLog::has_room_for(std::size_t bytes) {
    if (!can_reserve_) return refused_ == 0 || steady_now().value >= look_again_at_;
    const std::int64_t size = size_of(fd_);
    if (size < 0) {
        can_reserve_ = false;
        return true;
    }
    // Once full it is full for a while: a little that still fits would only cut the gap in pieces.
    if (refused_ > 0 && steady_now().value < look_again_at_) return false;
    const std::int64_t end = size + static_cast<std::int64_t>(bytes) + kWordsRoom;
    if (end <= reserved_to_) return true;
    const std::int64_t step = std::clamp(size / 8, kStepMin, kStepMax);
    if (reserve(size, end + step) || reserve(size, end)) return true;
    look_again_at_ = steady_now().value + kLookAgainEvery_ms;
    return !can_reserve_;
}

bool OutputLog::reserve(std::int64_t from, std::int64_t end) {
    if (::fallocate(fd_, FALLOC_FL_KEEP_SIZE, from, end - from) == 0) {
        reserved_to_ = end;
        return true;
    }
    // A file system that cannot reserve: then a refused write is the only sign there is.
    if (errno != ENOSPC && errno != EDQUOT && errno != EINTR) can_reserve_ = false;
    return false;
}

}  // namespace nightshift::jobs
