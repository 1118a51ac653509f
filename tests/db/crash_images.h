#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/db/watched_disk.h"

namespace nightshift::tests {

/// Path -> content, of every file that exists.
using DiskImage = std::map<std::string, std::string>;

/// What becomes of writes that no sync has covered when the power fails.
enum class Loss { kNone, kAll, kPrefix, kSubset, kSectors, kScrambled };
inline constexpr std::array<Loss, 6> kLosses{Loss::kNone,   Loss::kAll,     Loss::kPrefix,
                                             Loss::kSubset, Loss::kSectors, Loss::kScrambled};
const char* to_string(Loss loss);

/// Walks through what was done to a disk and says what may lie on it at each sync. A sync makes one file's
/// earlier writes durable; all others may be there whole, in part, in any order, or not at all, sector by
/// sector (512 bytes). A new name is durable once a sync or delete covered its folder.
class CrashImages {
  public:
    explicit CrashImages(const std::vector<DiskStep>& steps) : steps_(steps) {}

    /// Goes on to just before the next sync. False at the end of the record.
    bool next_sync();
    /// Steps that had happened by then.
    std::size_t step() const { return at_; }
    DiskImage image(Loss loss, std::mt19937_64& random) const;

  private:
    struct File {
        bool is_name_durable = false;
        std::string durable;
        std::vector<std::size_t> pending;  ///< steps since its last sync
        bool is_deleted = false;           ///< by a delete whose folder was not synced
    };
    void apply(const DiskStep& step, std::size_t index);
    void sync_folder();

    const std::vector<DiskStep>& steps_;
    std::size_t at_ = 0;
    bool is_before_sync_ = false;
    std::map<std::string, File> files_;
};

}  // namespace nightshift::tests
