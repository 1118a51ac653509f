#include "jobs/table/arrow/lazy_file.h"

#include <algorithm>
#include <cstring>

#include "jobs/table/arrow/hollow_memory.h"

namespace nightshift::jobs {
namespace {

/// A message begins with this mark and the bytes of the rest of its head, both 32 bits, little endian.
constexpr std::uint32_t kMark = 0xFFFFFFFF;
constexpr std::int64_t kMarkBytes = 8;

/// Bytes of the head of a message that begins with `start`; all `bytes` where it is none, as in files from
/// before Arrow 0.15.
std::int64_t head_bytes(const std::uint8_t* start, std::int64_t bytes) {
    std::uint32_t mark = 0;
    std::int32_t rest = 0;
    std::memcpy(&mark, start, sizeof mark);
    std::memcpy(&rest, start + sizeof mark, sizeof rest);
    return mark == kMark && rest >= 0 ? std::min(kMarkBytes + rest, bytes) : bytes;
}

}  // namespace

arrow::Result<std::shared_ptr<LazyFile>> LazyFile::open(const std::string& path) {
    ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::ReadableFile::Open(path));
    return std::shared_ptr<LazyFile>(new LazyFile(std::move(file)));
}

std::optional<std::int64_t> LazyFile::place_of(const arrow::Buffer& buffer) const {
    if (!hollow_ || buffer.data() < hollow_->data()) return std::nullopt;
    const std::int64_t offset = buffer.data() - hollow_->data();
    if (offset > hollow_->size() || buffer.size() > hollow_->size() - offset) return std::nullopt;
    return hollow_position_ + offset;
}

arrow::Status LazyFile::read(std::int64_t position, std::int64_t bytes, void* out) {
    ARROW_ASSIGN_OR_RAISE(const std::int64_t found, file_->ReadAt(position, bytes, out));
    if (found == bytes) return arrow::Status::OK();
    return arrow::Status::IOError("the file ends before byte ", position + bytes,
                                  "; it was cut short while it was read. Make it again");
}

arrow::Result<std::int64_t> LazyFile::ReadAt(std::int64_t position, std::int64_t bytes, bool allow_short_read,
                                             void* out) {
    return file_->ReadAt(position, bytes, allow_short_read, out);
}

arrow::Result<std::shared_ptr<arrow::Buffer>> LazyFile::ReadAt(std::int64_t position, std::int64_t bytes,
                                                               bool allow_short_read) {
    ARROW_ASSIGN_OR_RAISE(const std::int64_t size, file_->GetSize());
    // What is too short to be left out, or is not there, is read as ever: with Arrow's own errors.
    if (!is_deferring_ || position < 0 || bytes < kMarkBytes || position > size - bytes)
        return file_->ReadAt(position, bytes, allow_short_read);
    ARROW_ASSIGN_OR_RAISE(const auto hollow, hollow_memory(bytes));
    ARROW_RETURN_NOT_OK(read(position, kMarkBytes, hollow->mutable_data()));
    const std::int64_t head = head_bytes(hollow->data(), bytes);
    ARROW_RETURN_NOT_OK(read(position + kMarkBytes, head - kMarkBytes, hollow->mutable_data() + kMarkBytes));
    hollow_ = hollow;
    hollow_position_ = position;
    return hollow_;
}

}  // namespace nightshift::jobs
