#pragma once

#include <string>
#include <string_view>

#include "scheduler/history_file.h"

namespace nightshift::cli {

/// Reads a line's object. Fails with words that go on after "Line 7 of the history ".
Result<HistoryLine> history_line_of(const std::string& object);

/// Holds a history's bytes against their chain as they come. Throws Failure at the first line that is not
/// what was written, and when the end is missing. Keeps one line in memory.
class HistoryCheck {
  public:
    HistoryCheck();
    void take(std::string_view bytes);
    HistoryFacts finish() const;

  private:
    HistoryReader reader_;
};

}  // namespace nightshift::cli
