#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <arrow/buffer.h>
#include <arrow/io/file.h>
#include <arrow/result.h>

namespace nightshift::jobs {

/// A file of IPC messages whose bodies Arrow gets without their bytes: while it defers, ReadAt() reads the
/// head of a message and leaves the rest of the buffer hollow, zeros that take no memory. What of it is
/// wanted is read later, from where place_of() says, to where it is wanted: no byte is copied twice. Read,
/// not mapped: pages that were mapped and read would stay resident, and a file that is cut short meanwhile
/// would end the process. One thread at a time.
class LazyFile final : public arrow::io::RandomAccessFile {
  public:
    static arrow::Result<std::shared_ptr<LazyFile>> open(const std::string& path);
    ~LazyFile() override = default;

    /// Calls `work`, which reads one message or looks at many, with bodies left hollow.
    template <typename Work>
    auto without_bodies(const Work& work) {
        const Deferring here(is_deferring_);
        return work();
    }
    /// Where the bytes of `buffer`, which belongs to the message read last without its body, lie in the file;
    /// nothing for a buffer that lies elsewhere, as decompressed ones do.
    std::optional<std::int64_t> place_of(const arrow::Buffer& buffer) const;
    /// Exactly `bytes` from `position` on; an error where the file ends before.
    arrow::Status read(std::int64_t position, std::int64_t bytes, void* out);

    arrow::Status Close() override { return file_->Close(); }
    bool closed() const override { return file_->closed(); }
    arrow::Result<std::int64_t> Tell() const override { return file_->Tell(); }
    arrow::Status Seek(std::int64_t position) override { return file_->Seek(position); }
    arrow::Result<std::int64_t> GetSize() override { return file_->GetSize(); }
    arrow::Result<std::int64_t> Read(std::int64_t bytes, void* out) override {
        return file_->Read(bytes, out);
    }
    arrow::Result<std::shared_ptr<arrow::Buffer>> Read(std::int64_t bytes) override {
        return file_->Read(bytes);
    }
    using RandomAccessFile::ReadAt;
    arrow::Result<std::int64_t> ReadAt(std::int64_t position, std::int64_t bytes, bool allow_short_read,
                                       void* out) override;
    arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(std::int64_t position, std::int64_t bytes,
                                                         bool allow_short_read) override;

  private:
    struct Deferring {
        explicit Deferring(bool& flag) : is_on(flag) { is_on = true; }
        ~Deferring() { is_on = false; }
        Deferring(const Deferring&) = delete;
        Deferring& operator=(const Deferring&) = delete;
        bool& is_on;
    };

    explicit LazyFile(std::shared_ptr<arrow::io::ReadableFile> file) : file_(std::move(file)) {}

    std::shared_ptr<arrow::io::ReadableFile> file_;
    bool is_deferring_ = false;
    std::shared_ptr<arrow::Buffer> hollow_;  ///< the message read last without its body
    std::int64_t hollow_position_ = 0;
};

}  // namespace nightshift::jobs
