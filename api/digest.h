#pragma once

#include <string>
#include <string_view>

namespace nightshift::api {

/// SHA-256 in lower-case hex.
std::string sha256_hex(std::string_view bytes);
/// HMAC-SHA-256 in lower-case hex; `key` is raw bytes.
std::string hmac_sha256_hex(std::string_view key, std::string_view message);
/// `count` random bytes of the system's generator in hex.
std::string random_hex(int count);
/// Compares without telling by its time where the difference lies. Lengths are not secret.
bool equals_in_constant_time(std::string_view a, std::string_view b);

/// Nonces of a challenge: 16 to 128 letters, digits, "-" and "_".
bool is_nonce(std::string_view nonce);
/// What a daemon that knows the token proves on GET /livez?challenge=NONCE, so that a client sends
/// its token only to the real one: HMAC-SHA-256, key = the 32 raw bytes of SHA-256(token), message =
/// "nightshift-proof:v1:<port>:<nonce>" with the port the client connected to (0 = Unix socket). The
/// port stops a squatter from passing the challenge on to the daemon on another port.
/// `token_sha256` is the hex form, as stored. Empty when it is no such hash.
std::string proof_of(std::string_view token_sha256, int port, std::string_view nonce);

}  // namespace nightshift::api
