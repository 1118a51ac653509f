#pragma once

#include <memory>
#include <string>

#include "scheduler/result.h"

namespace nightshift::daemon {

/// One daemon for each data folder: a lock the kernel frees with the process, however it ends.
class InstanceLock {
  public:
    /// Fails: conflict "data_folder_in_use".
    static Result<std::unique_ptr<InstanceLock>> take(const std::string& path);
    ~InstanceLock();
    InstanceLock(const InstanceLock&) = delete;
    InstanceLock& operator=(const InstanceLock&) = delete;

  private:
    explicit InstanceLock(int fd) : fd_(fd) {}
    int fd_;
};

}  // namespace nightshift::daemon
