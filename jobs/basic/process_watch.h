#pragma once

#include <cstdint>

namespace nightshift::jobs {

/// Finds out that a job has more processes and threads than it may have. Works for every user, root too,
/// and needs no rights over control groups. The job's thread only.
class ProcessWatch {
  public:
    explicit ProcessWatch(int processes_max);

    /// A look costs one short file as long as the machine as a whole has not grown by what is allowed;
    /// only then the job's processes are counted.
    bool is_exceeded();

  private:
    int processes_max_;
    int counted_ = 0;                ///< of the job, at the last count
    std::int64_t machine_then_ = 0;  ///< of the whole machine, at the last count or less
};

}  // namespace nightshift::jobs
