#include "jobs/table/arrow/gathered_file.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

namespace nightshift::jobs {
namespace {

/// Buffers of a call (the system takes 1,024), and when they are enough.
constexpr std::size_t kWaitingMax = 512;
constexpr std::int64_t kWaitingBytesMax = std::int64_t{16} << 20;
constexpr std::int64_t kCopiedBytesMax = std::int64_t{64} << 10;

arrow::Status refusal(const char* what) {
    return arrow::Status::IOError("cannot ", what, ": ", std::strerror(errno));
}

/// All of them; calls that write a part, or nothing because of a signal, go on.
arrow::Status write_all(int descriptor, std::vector<iovec> parts) {
    for (std::size_t at = 0; at < parts.size();) {
        const ssize_t written = ::writev(descriptor, parts.data() + at, static_cast<int>(parts.size() - at));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return refusal("write");
        auto left = static_cast<std::size_t>(written);
        while (at < parts.size() && left >= parts[at].iov_len) left -= parts[at++].iov_len;
        if (at < parts.size()) {
            parts[at].iov_base = static_cast<char*>(parts[at].iov_base) + left;
            parts[at].iov_len -= left;
        }
    }
    return arrow::Status::OK();
}

iovec part_of(const void* data, std::int64_t count) {
    return {const_cast<void*>(data), static_cast<std::size_t>(count)};
}

}  // namespace

arrow::Result<std::shared_ptr<GatheredFile>> GatheredFile::open(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (descriptor < 0) return refusal("open");
    return std::shared_ptr<GatheredFile>(new GatheredFile(descriptor));
}

GatheredFile::~GatheredFile() {
    if (!closed()) ::close(descriptor_);
}

arrow::Status GatheredFile::Close() {
    if (closed()) return arrow::Status::OK();
    const arrow::Status flushed = Flush();
    const bool is_closed = ::close(std::exchange(descriptor_, -1)) == 0;
    if (!flushed.ok()) return flushed;
    return is_closed ? arrow::Status::OK() : refusal("close");
}

arrow::Status GatheredFile::Write(const void* data, std::int64_t count) {
    if (count <= kCopiedBytesMax) {
        return Write(arrow::Buffer::FromString(
            std::string(static_cast<const char*>(data), static_cast<std::size_t>(count))));
    }
    ARROW_RETURN_NOT_OK(Flush());
    position_ += count;
    return write_all(descriptor_, {part_of(data, count)});
}

arrow::Status GatheredFile::Write(const std::shared_ptr<arrow::Buffer>& data) {
    if (data->size() == 0) return arrow::Status::OK();
    waiting_.push_back(data);
    waiting_bytes_ += data->size();
    position_ += data->size();
    return waiting_.size() >= kWaitingMax || waiting_bytes_ >= kWaitingBytesMax ? Flush()
                                                                                : arrow::Status::OK();
}

arrow::Status GatheredFile::Flush() {
    std::vector<iovec> parts;
    parts.reserve(waiting_.size());
    for (const auto& buffer : waiting_) parts.push_back(part_of(buffer->data(), buffer->size()));
    const arrow::Status written = write_all(descriptor_, std::move(parts));
    waiting_.clear();
    waiting_bytes_ = 0;
    return written;
}

}  // namespace nightshift::jobs
