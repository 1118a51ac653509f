#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "api/http_types.h"
#include "api/job_files.h"

namespace nightshift::api {

/// Streams the first `size` bytes of an open file. A file that got shorter cuts the connection, since
/// the length was already promised.
class FileStream : public BodyStream {
  public:
    FileStream(ReadFile file, std::int64_t size) : file_(std::move(file)), size_(size) {}

    void next(Ready ready) override {
        Chunk chunk;
        const std::int64_t count = std::min<std::int64_t>(kPiece, size_ - at_);
        if (count > 0 && file_.read_at(at_, static_cast<std::size_t>(count), chunk.bytes) <= 0)
            chunk.is_broken = true;
        at_ += static_cast<std::int64_t>(chunk.bytes.size());
        chunk.is_end = at_ >= size_;
        ready(std::move(chunk));
    }
    void cancel() override {}

  private:
    static constexpr std::int64_t kPiece = 256 * 1024;
    ReadFile file_;
    std::int64_t size_;
    std::int64_t at_ = 0;
};

}  // namespace nightshift::api
