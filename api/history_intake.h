#pragma once

#include <functional>
#include <string>
#include <vector>

#include "db/queries.h"
#include "scheduler/result.h"

namespace nightshift::api {

/// One history of another database on its way in. What goes away before finish() has answered leaves nothing.
/// One call at a time; replies come after the commit. Thread: the loop.
class HistoryIntake {
  public:
    template <typename T>
    using Reply = std::function<void(Result<T>)>;
    virtual ~HistoryIntake() = default;
    virtual void add(std::vector<db::ImportedLine> lines, Reply<void> reply) = 0;
    /// The lines are all there and checked: shows them. `chain` is that of the last line.
    virtual void finish(std::string chain, Reply<db::ImportCounts> reply) = 0;
};

}  // namespace nightshift::api
