#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

namespace nightshift::jobs {

/// A file without a name for what does not fit into memory: it is gone with this object, also when the
/// process is killed. append() from one thread; read() from any while nobody appends.
/// Throws JobError("disk_full", "io_error") naming the folder.
class ScratchFile {
  public:
    /// In `folder`, which has to exist.
    explicit ScratchFile(std::filesystem::path folder);
    ~ScratchFile();
    ScratchFile(ScratchFile&& other) noexcept;
    ScratchFile& operator=(ScratchFile&& other) noexcept;

    void append(std::span<const char> bytes);
    /// Exactly `out.size()` bytes from `offset` on, which have to be there.
    void read(std::uint64_t offset, std::span<char> out) const;
    std::uint64_t size() const;
    /// All of it as memory that the system fills and empties as it sees fit. Valid while this object lives
    /// and nothing is appended.
    std::span<const char> mapped() const;

  private:
    struct Handle;
    std::unique_ptr<Handle> handle_;
};

}  // namespace nightshift::jobs
