#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace nightshift::cli {

class Client;

/// Follows the demo's jobs and tells what happens to them, one line for each change of state, with the
/// time since the demo began. Thread: one.
class DemoWatch {
  public:
    /// `is_silent` keeps stdout free for machine-readable output. `limit_ms` ends every wait.
    DemoWatch(Client& client, bool is_silent, std::int64_t limit_ms);

    /// Submits a body and follows the job from now on. Returns its id.
    std::int64_t submit(const nlohmann::json& body);

    /// Looks at all jobs until `is_reached` holds for job `id`. Throws Failure when the job ended
    /// without success, or with kExitTimeout past the limit, after printing why it waits.
    nlohmann::json wait(std::int64_t id, const std::function<bool(const nlohmann::json&)>& is_reached);

    /// Waits until all are over, successful or not.
    void wait_for_all();

    void say(const std::string& line) const;
    const std::vector<std::int64_t>& ids() const { return ids_; }

  private:
    void look();
    void tell(const nlohmann::json& job);
    [[noreturn]] void give_up(std::int64_t id);

    Client& client_;
    bool is_silent_;
    std::int64_t start_ms_, end_ms_;
    std::vector<std::int64_t> ids_;
    std::map<std::int64_t, std::string> states_;  ///< as last told
    std::map<std::int64_t, std::string> newest_;  ///< job objects as text
};

}  // namespace nightshift::cli
