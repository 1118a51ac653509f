#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scheduler/units.h"

namespace nightshift::cli {

/// Where a daemon listens: TCP, or a Unix socket when `socket_path` is set.
struct Endpoint {
    std::string host = "127.0.0.1";
    std::uint16_t port = 7390;
    std::string socket_path;
    std::string host_header() const;  ///< "127.0.0.1:7390"; "nightshift" for a Unix socket
    std::string url() const;          ///< "http://127.0.0.1:7390"
};

struct HttpRequest {
    std::string method = "GET";
    std::string target;
    std::string body;
    std::string content_type = "application/json";  ///< sent only with a body
    /// Instead of `body`: a file that is sent piece by piece; `body_bytes` of it.
    std::istream* body_file = nullptr;
    std::uint64_t body_bytes = 0;
    std::vector<std::pair<std::string, std::string>> headers;
    Millis timeout = seconds(30);  ///< of each step: connect, write, one read
};

struct HttpReply {
    int status = 0;
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string header(std::string_view name) const;  ///< case-insensitive; empty when absent
};

inline constexpr std::size_t kReplyBytesMax = 64U * 1024 * 1024;

/// One request on a connection of its own. Blocks. Throws Failure with kExitUnreachable when nobody
/// answers, the answer is cut short, or a step takes longer than `timeout`.
HttpReply exchange(const Endpoint& endpoint, const HttpRequest& request);

/// As exchange(), handing over the body piece by piece while it arrives, with status and headers;
/// `on_bytes` returns false to stop early. A reply with a status of 400 and above is returned whole instead.
HttpReply stream(const Endpoint& endpoint, const HttpRequest& request,
                 const std::function<bool(const HttpReply&, std::string_view)>& on_bytes);

}  // namespace nightshift::cli
