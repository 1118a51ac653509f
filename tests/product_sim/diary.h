#pragma once

#include <cstdint>
#include <deque>
#include <stdexcept>
#include <string>

#include "tests/product_sim/agenda.h"

namespace nightshift::tests {

/// A promise was broken.
struct Broken : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Everything that happens in a simulated night, as one number that two equal nights share and as the last
/// lines for whoever has to find out.
class Diary {
  public:
    explicit Diary(const Agenda& agenda) : agenda_(agenda) {}

    void note(const std::string& line);
    /// FNV-1a over all lines.
    std::uint64_t hash() const { return hash_; }
    std::int64_t lines() const { return count_; }
    std::string last_lines() const;
    /// Prints every line as it comes; NIGHTSHIFT_PRODUCT_DIARY in the environment.
    void set_loud(bool is_loud) { is_loud_ = is_loud; }
    [[noreturn]] void fail(const std::string& what) const { throw Broken(what); }

  private:
    const Agenda& agenda_;
    std::uint64_t hash_ = 14695981039346656037ULL;
    std::int64_t count_ = 0;
    std::deque<std::string> last_;
    bool is_loud_ = false;
};

}  // namespace nightshift::tests
