#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "daemon/cli/connection.h"

namespace nightshift::cli {

/// Which daemon a command talks to, as the arguments and the environment say.
struct Target {
    std::string data_folder;  ///< where instance.json and the credentials lie
    std::string url;          ///< http://HOST:PORT or unix:PATH; empty = from instance.json
    std::string header_file;  ///< curl header file with the credential; empty = the strongest readable one
};

/// The daemon's folder without --data and NIGHTSHIFT_DATA.
std::string default_data_folder();

/// Content of instance.json; `pid` 0 when there is none, which means that no daemon runs there.
struct Instance {
    std::int64_t pid = 0;
    std::string boot_id;
    std::int64_t start_ticks = 0;
    std::string version;
    Endpoint endpoint;
};
Instance read_instance(const std::string& data_folder);

/// Talks to one daemon. The first request over TCP makes the daemon prove that it knows our token before
/// it is sent, so that a stranger on its port learns nothing. Refusals are thrown as Failure with the
/// daemon's own words. Thread: one at a time.
class Client {
  public:
    explicit Client(Target target);

    nlohmann::json get(const std::string& path);
    nlohmann::json post(const std::string& path, const nlohmann::json& body);
    nlohmann::json post(const std::string& path);  ///< without a body

    /// A request with all its parts; `raw` leaves refusals to the caller.
    HttpReply send(HttpRequest request);
    HttpReply send_raw(HttpRequest request);
    HttpReply follow(HttpRequest request,
                     const std::function<bool(const HttpReply&, std::string_view)>& on_bytes);

    /// Whether a daemon answers and proves itself. Does not throw.
    bool is_reachable();
    const Endpoint& endpoint();
    const Target& target() const { return target_; }

  private:
    void connect();
    void prove(const std::string& token);

    Target target_;
    Endpoint endpoint_;
    std::string authorization_;
    bool is_connected_ = false;
};

/// Throws what a reply with status 400 and above says: its detail, hint and fields.
void throw_refusal(const HttpReply& reply);

/// "a b/c" -> "a%20b%2Fc": for one segment of a path or one value of a query.
std::string percent_encoded(std::string_view text);

}  // namespace nightshift::cli
