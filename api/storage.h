#pragma once

#include <functional>
#include <string>
#include <vector>

#include "db/queries.h"
#include "scheduler/result.h"
#include "scheduler/units.h"

namespace nightshift::api {

struct BackupInfo {
    std::string name;  ///< file in backup/ of the data folder
    Bytes bytes;
    UnixMs at;
};

/// What is asked of the database as a whole. Both take seconds on a large one, so they run beside the loop;
/// replies come on the loop's thread. One at a time: the next waits for its turn.
class Storage {
  public:
    template <typename T>
    using Reply = std::function<void(Result<T>)>;
    virtual ~Storage() = default;
    virtual void self_check(Reply<std::vector<db::CheckResult>> reply) = 0;
    /// A verified copy; the oldest beyond the number kept go.
    virtual void back_up(Reply<BackupInfo> reply) = 0;
    virtual std::vector<BackupInfo> backups() const = 0;  ///< newest first
};

}  // namespace nightshift::api
