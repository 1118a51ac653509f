#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

struct sqlite3_vfs;

namespace nightshift::tests {

/// One thing that SQLite did to a file.
struct DiskStep {
    enum class Kind { kCreate, kWrite, kTruncate, kSync, kDelete };
    Kind kind = Kind::kWrite;
    std::string file;         ///< full path
    std::int64_t offset = 0;  ///< of a write; the new size of a truncation
    std::string bytes;        ///< of a write
    /// A sync or delete that also makes the names in the folder durable.
    bool covers_folder = false;
};

/// SQLite's own file layer with a listener in between. While an object lives, it is the default for every
/// connection that is opened. Writes go to the real files at once; syncs are noted but not carried out,
/// which makes a test of hundreds of databases take seconds. Thread: one at a time.
class WatchedDisk {
  public:
    WatchedDisk();
    ~WatchedDisk();
    WatchedDisk(const WatchedDisk&) = delete;
    WatchedDisk& operator=(const WatchedDisk&) = delete;

    void record(bool on) { is_recording_ = on; }
    const std::vector<DiskStep>& steps() const { return steps_; }
    /// What was recorded, which is then forgotten.
    std::vector<DiskStep> take_steps() { return std::exchange(steps_, {}); }

    /// The `nth` write, truncation or sync from now on fails with this errno (1 = the next), and
    /// every later one until heal().
    void fail_from(std::int64_t nth, int system_error);
    void heal();
    /// Whether the fault has struck since fail_from().
    bool has_failed() const { return has_failed_; }

    // For the file layer.
    void note(DiskStep step);
    /// errno of the operation that was about to happen; 0 = it may.
    int strike();
    sqlite3_vfs* real() const { return real_; }

  private:
    std::unique_ptr<sqlite3_vfs> vfs_;
    sqlite3_vfs* real_;
    std::string name_;
    bool is_recording_ = false;
    std::vector<DiskStep> steps_;
    std::int64_t left_until_fault_ = 0;  ///< 0 = none planned
    bool is_failing_ = false;
    bool has_failed_ = false;
    int system_error_ = 0;
};

}  // namespace nightshift::tests
