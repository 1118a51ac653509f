#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "scheduler/units.h"

/// Files that must survive a power cut. All functions throw JobError("io_error" or "disk_full") naming
/// the file; any thread.
namespace nightshift::jobs {

/// Writes beside `file`, syncs, renames over it, syncs the folder: a reader sees the old or the new text.
void write_durably(const std::filesystem::path& file, std::string_view text);
/// Keeps room on the disk for a later write_durably() of `file`, where the file system can do that.
void reserve_durably(const std::filesystem::path& file, Bytes room);

/// Syncs `temporary`, gives it the name `file`, syncs the folder.
void rename_durably(const std::filesystem::path& temporary, const std::filesystem::path& file);

/// A file, empty at first, that text is appended to. Not synced: rename_durably() does that. One thread.
class AppendedFile {
  public:
    explicit AppendedFile(const std::filesystem::path& file);
    ~AppendedFile();
    AppendedFile(const AppendedFile&) = delete;
    AppendedFile& operator=(const AppendedFile&) = delete;

    void append(std::string_view text);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// What the functions here throw: "cannot `what` `path`: ", the system's words for `error` (an errno), and
/// what to do where the disk is full.
[[noreturn]] void refuse_disk(const std::string& what, const std::filesystem::path& path, int error);

void sync_file(const std::filesystem::path& file);
void sync_folder(const std::filesystem::path& folder);

/// Fails on files above `bytes_max`, so that a broken file cannot eat the memory.
std::string read_text(const std::filesystem::path& file, std::size_t bytes_max);

}  // namespace nightshift::jobs
