#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "api/credentials.h"
#include "api/http_types.h"
#include "api/problem.h"
#include "api/router.h"

namespace nightshift::api {

inline constexpr std::uint64_t kJsonBodyBytesMax = 1024 * 1024;
inline constexpr std::uint64_t kBatchBodyBytesMax = 256ull * 1024 * 1024;

/// The other end of a connection.
struct Peer {
    bool is_unix = false;
    Role unix_role = Role::kNone;  ///< from the kernel: who owns the process at the other end
};

/// What the gate found. With a refusal the connection is closed after the answer.
struct Admission {
    const Route* route = nullptr;
    NamedValues params;
    NamedValues query;
    Caller caller;
    std::optional<Problem> refusal;
    bool is_credential_failure = false;
};

/// The one choke point: judges a checked head before anything of the body is read and before any
/// handler runs. Default deny. In this order: Host, provenance (Origin, Sec-Fetch-Site), route and
/// method, credential, role, content type and length. User-Agent and X-Forwarded-* are no evidence and
/// are not looked at.
Admission admit(const RequestHead& head, const Peer& peer, std::uint16_t port, std::span<const Route> table,
                const Credentials& credentials, UnixMs now);

/// Exactly 127.0.0.1:port, [::1]:port or localhost:port, in any case, one dot after the name allowed.
bool is_host_allowed(std::string_view host, std::uint16_t port);
bool is_origin_allowed(std::string_view origin, std::uint16_t port);

}  // namespace nightshift::api
