#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "scheduler/attempt.h"

/// Checkpoints: a folder of files plus checkpoint.json, which lists every file with size and SHA-256.
/// A checkpoint is written under a temporary name, synced, then renamed: it is there whole or not at all.
namespace nightshift::jobs {

inline constexpr int kCheckpointsKept = 2;
inline constexpr std::string_view kManifestName = "checkpoint.json";

class CheckpointStore {
  public:
    /// Checkpoints go below `folder`; paths in Checkpoint are relative to `data` where they lie in it.
    CheckpointStore(std::filesystem::path folder, std::filesystem::path data, AttemptId attempt);

    /// Calls `save` with an empty folder and commits what it left there. Throws what `save` throws, and
    /// JobError("disk_full", "io_error"); a failure leaves the earlier checkpoints alone.
    Checkpoint commit(std::int64_t step, const std::function<void(const std::filesystem::path&)>& save);

    /// Commits the files of `folder`, a folder on the same disk, by moving it. For programs that wrote
    /// into it themselves.
    Checkpoint adopt(const std::filesystem::path& folder, std::int64_t step);

    const std::filesystem::path& folder() const { return folder_; }

  private:
    Checkpoint seal(const std::filesystem::path& fresh, std::int64_t step);
    void forget_old();

    std::filesystem::path folder_;
    std::filesystem::path data_;
    AttemptId attempt_;
};

/// What is wrong with a checkpoint folder, naming the file; nothing when it is whole.
std::optional<std::string> find_checkpoint_damage(const std::filesystem::path& checkpoint);

/// The step in the manifest of a whole checkpoint. Throws JobError("bad_checkpoint").
std::int64_t checkpoint_step(const std::filesystem::path& checkpoint);

/// `wanted` if it is whole, else the newest whole one among the older ones beside it, else among those of
/// earlier attempts of the job; nothing when none is. `refused` is told of each damaged one and why.
std::optional<std::filesystem::path> find_whole_checkpoint(
    const std::filesystem::path& wanted,
    const std::function<void(const std::filesystem::path&, const std::string&)>& refused);

/// A checkpoint folder as Checkpoint::path has it: relative to `data` where it lies in it.
std::string checkpoint_name(const std::filesystem::path& checkpoint, const std::filesystem::path& data);

/// Newest committed checkpoint in a checkpoint/ folder, whole or not.
std::optional<std::filesystem::path> newest_checkpoint(const std::filesystem::path& folder);

}  // namespace nightshift::jobs
