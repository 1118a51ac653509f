#pragma once

#include <map>
#include <string>
#include <vector>

#include "scheduler/ids.h"
#include "scheduler/units.h"

namespace nightshift::daemon {

/// Memory of attempts whose processes are gone, until the driver shows it free: it may lag by seconds. What
/// the driver still shows after a bound is given up as theirs; it counts as that of other programs then,
/// which no job is given either. Times are steady. Thread: the loop.
class ReleaseWatch {
  public:
    static constexpr Millis kBound = seconds(10);
    /// Of an attempt whose wait is over.
    struct Over {
        AttemptId id;
        std::string device;
        Bytes left;  ///< what the driver showed last
        bool is_overdue = false;
    };

    /// `seen`: the most that the driver showed of it; `budget`: what it may have taken unseen.
    void add(const AttemptId& id, std::string device, Bytes budget, Bytes seen, Millis now);
    /// A sample of the device shows `unexplained` bytes that are neither those of living attempts nor those
    /// of other programs. Returns the part of them that the attempts watched here account for.
    Bytes share(const std::string& device, Bytes unexplained);
    /// Takes out those that are free or overdue.
    std::vector<Over> take_over(Millis now);
    /// What is not free yet of an attempt; nothing of one that is not watched.
    Bytes left(const AttemptId& id) const;
    bool is_empty() const { return watched_.empty(); }

  private:
    struct Watched {
        std::string device;
        Bytes most, seen, left;
        Millis gone_at;
        int samples = 0;
    };
    std::map<AttemptId, Watched> watched_;
};

}  // namespace nightshift::daemon
