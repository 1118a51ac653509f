#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "scheduler/result.h"

namespace nightshift::api {

/// A regular file open for reading. Move-only; closes itself.
class ReadFile {
  public:
    ReadFile() = default;
    explicit ReadFile(int handle) : handle_(handle) {}
    ReadFile(ReadFile&& other) noexcept : handle_(other.handle_) { other.handle_ = -1; }
    ReadFile& operator=(ReadFile&& other) noexcept;
    ~ReadFile();

    bool is_open() const { return handle_ >= 0; }
    int handle() const { return handle_; }
    /// Size now; it may grow.
    std::int64_t size() const;
    /// Appends up to `count` bytes from `offset` to `out`; returns how many, -1 on a read error.
    std::int64_t read_at(std::int64_t offset, std::size_t count, std::string& out) const;

  private:
    int handle_ = -1;
};

/// Opens `relative` ("jobs/7/1/output/a/b.csv") below `root`, part by part from the folder's own handle
/// and without following a symbolic link anywhere below it, so that what a job plants in its folder
/// leads nowhere else. Fails: not_found "no_such_file", invalid_argument "bad_name" for "..", empty or
/// backslash parts, conflict "is_folder" for folders, invalid_argument "not_a_file" for anything else.
Result<ReadFile> open_below(const std::string& root, const std::string& relative);

}  // namespace nightshift::api
