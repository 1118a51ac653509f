#pragma once

#include <string>

#include "scheduler/result.h"
#include "scheduler/units.h"

namespace nightshift::daemon {

/// Room kept back in the data folder for what has to be written down although the disk is full: ends of
/// attempts, cancels. Thread: the loop.
class Reserve {
  public:
    virtual ~Reserve() = default;
    /// Sets the room aside again. False while the disk has too little; calls cost a few microseconds.
    virtual bool take_back() = 0;
    /// Hands the room to whoever writes next.
    virtual void give_up() = 0;
};

/// A file of that size whose blocks are allocated. Taken back only when as much again stays free beside
/// it, so that it does not come and go with every page of the database.
class Ballast final : public Reserve {
  public:
    static constexpr Bytes kSize = mebibytes(8);
    explicit Ballast(std::string path, Bytes size = kSize) : path_(std::move(path)), size_(size) {}
    bool take_back() override;
    void give_up() override;

  private:
    std::string path_;
    Bytes size_;
};

}  // namespace nightshift::daemon
