#pragma once

#include <string>
#include <vector>

#include "daemon/ballast.h"
#include "tests/db/crash_images.h"
#include "tests/support/dice.h"

namespace nightshift::tests {

/// The disk below the database: what a killed daemon leaves on it, what is there after the power failed, and
/// times without room. It is the room that the daemon keeps back, too.
class SimDisk final : public daemon::Reserve {
  public:
    SimDisk(std::string folder, bool records);

    const std::string& database() const { return database_; }

    /// What lies on the disk now; a killed daemon writes nothing more.
    void freeze();
    /// The daemon's handles are closed: what freeze() saw is there, and nothing else.
    void thaw();

    /// The write, sync or truncation after the next `left` ones finds the power gone.
    void plan_power_cut(int left);
    bool is_power_gone() const { return is_cut_planned_ && disk_.has_failed(); }
    /// Puts on the disk what survives: synced writes, and some of the others.
    Loss lose_power(Dice& dice);

    void set_full(bool is_full);
    bool is_full() const { return is_full_; }
    /// A write has been refused since set_full(true).
    bool has_refused() const { return has_refused_ || (is_full_ && disk_.has_failed()); }

    bool take_back() override { return !is_full_; }
    void give_up() override;

  private:
    DiskImage read() const;
    void write(const DiskImage& image) const;

    std::string folder_, database_;
    bool records_;
    WatchedDisk disk_;
    std::vector<DiskStep> steps_;  ///< since the last power cut
    DiskImage frozen_;
    bool is_full_ = false;
    bool has_refused_ = false;
    bool is_cut_planned_ = false;
};

}  // namespace nightshift::tests
