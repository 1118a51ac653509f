#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/units.h"

namespace nightshift::cli {

// What a torture does to processes of its own daemons. None of it touches a process of another folder.

/// A worker process, as its command line tells.
struct WorkerProcess {
    std::int64_t pid = 0, job = 0, attempt = 0;
};

/// The workers that stand in this data folder.
std::vector<WorkerProcess> workers_of(const std::string& data_folder);

/// SIGKILL: the process gets no chance to do anything more.
void kill_at_once(std::int64_t pid);

/// Waits for a child to end; its exit code, 128 + signal when it was killed.
int end_of(std::int64_t pid);

/// From now on no file of the process grows beyond `limit`, as on a full disk; nothing takes the limit back.
/// Needs no rights beyond being the same user. False when the system refuses.
bool limit_file_size(std::int64_t pid, std::optional<Bytes> limit);

/// How long `count` writes of 4 KiB, each made durable, took in a new file, in ms. Stops after `limit`.
std::vector<double> durable_write_times(const std::string& path, int count, Millis limit);

/// While it lives, Ctrl-C, SIGTERM and a closed terminal ask for an end instead of ending the program. One at
/// a time.
class StopRequests {
  public:
    StopRequests();
    ~StopRequests();
    StopRequests(const StopRequests&) = delete;
    StopRequests& operator=(const StopRequests&) = delete;
    static bool is_asked();
};

}  // namespace nightshift::cli
