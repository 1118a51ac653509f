#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nightshift::cli {

/// 32 random hexadecimal digits for a challenge.
std::string random_nonce();

/// SHA-256 in lower-case hex. Throws Failure.
std::string sha256_of(std::string_view bytes);

/// What the daemon at `port` (0 for a Unix socket) answers to GET /livez?challenge=`nonce`:
/// HMAC-SHA-256 in lower-case hex over "nightshift-proof:v1:<port>:<nonce>", keyed with SHA-256(token).
/// Whoever does not know the token's hash cannot make it, and it says nothing about the token.
std::string proof_of(const std::string& token, std::uint16_t port, const std::string& nonce);

}  // namespace nightshift::cli
