#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/wire.h"

namespace nightshift::jobs {

inline constexpr const char* kResultName = "result.json";
/// Files beyond this number are not listed one by one; the job's output stays whole on disk.
inline constexpr std::size_t kArtifactsMax = 10'000;
/// Undeclared files above this size are listed without a hash: hashing them would hold the GPU's
/// budget for minutes.
inline constexpr std::int64_t kHashBytesMax = std::int64_t{1} << 30;

/// Lists what a job left below `output`: the declared ones (name, type) in their order, then every other
/// file as type "file". `is_hashing` is false for jobs that did not succeed. Links are left out.
std::vector<wire::Artifact> list_artifacts(const std::filesystem::path& output,
                                           const std::vector<std::pair<std::string, std::string>>& declared,
                                           bool is_hashing);

/// Room for the result of a job with some 300 artifacts.
inline constexpr Bytes kResultRoom{64 * 1024};
/// Keeps room for result.json in `folder`, so that a disk that fills meanwhile cannot hide how the job ended.
void reserve_result(const std::filesystem::path& folder);

/// Writes result.json durably into `folder`. Throws JobError.
void write_result(const std::filesystem::path& folder, const wire::ResultFile& result);

/// Throws JobError("bad_result") naming the file.
wire::ResultFile read_result(const std::filesystem::path& folder);

}  // namespace nightshift::jobs
