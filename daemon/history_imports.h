#pragma once

#include <functional>
#include <memory>
#include <string>

#include "api/history_intake.h"
#include "daemon/loop.h"

namespace nightshift::daemon {

/// Imports of history, one at a time, in short transactions beside everything else. Thread: the loop.
class HistoryImports {
  public:
    /// `loop` outlives the imports that are under way.
    explicit HistoryImports(Loop& loop);

    /// Fails: unavailable "import_busy" while another one is under way.
    void begin(const std::string& database, const std::string& actor,
               std::function<void(Result<std::shared_ptr<api::HistoryIntake>>)> reply);
    /// Deletes, a little at a time, what a crash or a client that went away left behind.
    void sweep();

  private:
    struct State;
    class Intake;
    static void sweep(const std::shared_ptr<State>& state);

    std::shared_ptr<State> state_;
};

}  // namespace nightshift::daemon
