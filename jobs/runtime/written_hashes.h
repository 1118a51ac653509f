#pragma once

#include <filesystem>
#include <string>

/// Hashes of files that this process made while it wrote them, so that nobody has to read them once more. Any
/// thread.
namespace nightshift::jobs {

/// `sha256` (64 hex digits) is that of `file` as it is at this moment. Without effect where the file is not
/// there.
void remember_hash(const std::filesystem::path& file, const std::string& sha256);

/// The hash that was remembered, if the file has had the same size and was not written since; else the file
/// is read. For files of the job's own output: what has to be proven whole is read with sha256_of_file().
/// Throws as that does.
std::string written_hash_of_file(const std::filesystem::path& file);

}  // namespace nightshift::jobs
