#pragma once

#include <memory>

#include "daemon/config.h"

namespace nightshift::daemon {

/// The composition root: builds the parts in order, owns them, takes them down in reverse.
class Daemon {
  public:
    explicit Daemon(Config config);
    ~Daemon();
    /// Runs until asked to stop. Returns the exit code.
    int run();

  private:
    struct Parts;
    Config config_;
    std::unique_ptr<Parts> parts_;
};

}  // namespace nightshift::daemon
