#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/result.h>

#include "jobs/table/byte_listener.h"

namespace nightshift::jobs {

/// A file, empty at first, whose buffers wait until there are many: one call then writes them all from where
/// they lie, so that the system gets pieces of megabytes, which cost it a third less than those of a column.
/// A buffer given to Write() must not change before Flush(). `listener` (null: nobody) hears what was
/// written. One thread at a time.
class GatheredFile final : public arrow::io::OutputStream {
  public:
    static arrow::Result<std::shared_ptr<GatheredFile>> open(const std::string& path, ByteListener* listener);
    /// What waits is lost without Close().
    ~GatheredFile() override;

    arrow::Status Close() override;
    bool closed() const override { return descriptor_ < 0; }
    arrow::Result<std::int64_t> Tell() const override { return position_; }
    /// Copied where they are few, else written at once.
    arrow::Status Write(const void* data, std::int64_t count) override;
    arrow::Status Write(const std::shared_ptr<arrow::Buffer>& data) override;
    arrow::Status Flush() override;

  private:
    GatheredFile(int descriptor, ByteListener* listener) : descriptor_(descriptor), listener_(listener) {}
    arrow::Status put(std::span<const std::span<const std::byte>> pieces);

    int descriptor_;
    ByteListener* listener_;
    std::int64_t position_ = 0, waiting_bytes_ = 0;
    std::vector<std::shared_ptr<arrow::Buffer>> waiting_;
};

}  // namespace nightshift::jobs
