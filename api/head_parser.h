#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "api/http_types.h"

namespace nightshift::api {

inline constexpr std::size_t kHeadBytesMax = 16 * 1024;
inline constexpr std::size_t kHeadFieldsMax = 64;
inline constexpr std::size_t kTargetBytesMax = 4 * 1024;

/// Why a request head is refused; the connection is closed after the answer.
struct HeadRefusal {
    int status = 400;
    std::string code;  ///< "bad_framing", "bad_request_line", "headers_too_large", "target_too_long"
    std::string detail;
};

/// Looks for the end of a head in the bytes read so far: its length with the empty line, nothing when
/// more is needed, or a refusal as soon as the bytes cannot become an acceptable head (a bare LF, a
/// NUL, too long). `checked` carries the position between calls; start with 0.
std::variant<std::monostate, std::size_t, HeadRefusal> find_head_end(std::string_view bytes,
                                                                     std::size_t& checked);

/// Parses and judges a complete head, stricter than RFC 9112: the HTTP library behind it accepts
/// doubled Host fields, absolute-form targets, odd Transfer-Encoding and folded lines, so nothing of
/// that may reach it. Accepted: origin-form targets in visible ASCII without encoded slash, backslash,
/// NUL or control bytes; at most one Host (that there is one is the gate's business);
/// Transfer-Encoding absent or exactly "chunked", never beside Content-Length; a body only in HTTP/1.1.
std::variant<RequestHead, HeadRefusal> parse_head(std::string_view head);

/// Decodes %XX of a path or of a query part (there "+" is a blank too). Nothing for bad or forbidden
/// escapes (control bytes; in a path also "/", "\\" and NUL).
std::optional<std::string> decode_path_segment(std::string_view text);
std::optional<std::string> decode_query_part(std::string_view text);
/// False when the path has an empty segment (but the last), a "." or "..", or a forbidden escape.
bool split_path(std::string_view path, std::vector<std::string>& segments);
/// False for bad escapes.
bool split_query(std::string_view query, NamedValues& values);

}  // namespace nightshift::api
