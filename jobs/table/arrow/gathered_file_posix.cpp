#include "jobs/table/arrow/gathered_file.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "jobs/table/arrow/gathered_write.h"

namespace nightshift::jobs {
namespace {

/// Buffers that wait, and their bytes, when they are enough.
constexpr std::size_t kWaitingMax = 512;
constexpr std::int64_t kWaitingBytesMax = std::int64_t{16} << 20;
constexpr std::int64_t kCopiedBytesMax = std::int64_t{64} << 10;

arrow::Status refusal(const char* what, int error) {
    return arrow::Status::IOError("cannot ", what, ": ", std::strerror(error));
}

std::span<const std::byte> bytes_at(const void* data, std::int64_t count) {
    return {static_cast<const std::byte*>(data), static_cast<std::size_t>(count)};
}

}  // namespace

arrow::Result<std::shared_ptr<GatheredFile>> GatheredFile::open(const std::string& path,
                                                                ByteListener* listener) {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (descriptor < 0) return refusal("open", errno);
    return std::shared_ptr<GatheredFile>(new GatheredFile(descriptor, listener));
}

GatheredFile::~GatheredFile() {
    if (!closed()) ::close(descriptor_);
}

arrow::Status GatheredFile::Close() {
    if (closed()) return arrow::Status::OK();
    const arrow::Status flushed = Flush();
    const bool is_closed = ::close(std::exchange(descriptor_, -1)) == 0;
    if (!flushed.ok()) return flushed;
    return is_closed ? arrow::Status::OK() : refusal("close", errno);
}

arrow::Status GatheredFile::Write(const void* data, std::int64_t count) {
    if (count <= kCopiedBytesMax) {
        return Write(arrow::Buffer::FromString(
            std::string(static_cast<const char*>(data), static_cast<std::size_t>(count))));
    }
    ARROW_RETURN_NOT_OK(Flush());
    position_ += count;
    const std::span<const std::byte> piece = bytes_at(data, count);
    return put({&piece, 1});
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
    std::vector<std::span<const std::byte>> pieces;
    pieces.reserve(waiting_.size());
    for (const auto& buffer : waiting_) pieces.push_back(bytes_at(buffer->data(), buffer->size()));
    const arrow::Status written = put(pieces);
    waiting_.clear();
    waiting_bytes_ = 0;
    return written;
}

arrow::Status GatheredFile::put(std::span<const std::span<const std::byte>> pieces) {
    const int error = write_gathered(descriptor_, pieces, listener_);
    return error == 0 ? arrow::Status::OK() : refusal("write", error);
}

}  // namespace nightshift::jobs
