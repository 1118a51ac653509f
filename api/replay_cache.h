#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "api/http_types.h"
#include "api/router.h"
#include "scheduler/units.h"

namespace nightshift::api {

inline constexpr std::size_t kReplaysMax = 1024;
inline constexpr std::size_t kReplayBytesMax = 64 * 1024;  ///< of one remembered answer

/// Idempotency-Key of the POSTs that create something other than a submit: retry, a new schedule, a
/// schedule's run. (Submits keep theirs in the database.) In memory: a restart forgets. Thread: the loop.
class ReplayCache {
  public:
    /// The entry's name for a request that has a key and whose route creates; empty otherwise.
    static std::string name_of(const Request& request, const Route& route);

    /// The answer to give at once: the first one again, 422 for another body, 409 while the first is
    /// still under way. Nothing: go on, and call `finish` with the answer.
    std::optional<Response> begin(const std::string& name, const Request& request);
    /// Only answers below 300 are remembered; the others may be tried again.
    void finish(const std::string& name, const Response& response);

  private:
    struct Entry {
        std::string body_hash;
        std::optional<Response> answer;  ///< empty while under way
    };
    std::map<std::string, Entry> entries_;
    std::deque<std::string> order_;
};

}  // namespace nightshift::api
