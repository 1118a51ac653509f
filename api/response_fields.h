#pragma once

#include <string>

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>

#include "api/http_types.h"

namespace nightshift::api {

/// Everything the browser may do with our pages: own scripts, styles, pictures and requests, nothing else.
inline constexpr const char* kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Status line and header fields of an answer; the security headers always, a Content-Security-Policy
/// or Cache-Control of the answer's own instead of the usual one.
template <typename Body>
void set_fields(boost::beast::http::response<Body>& message, const Response& response, bool keep_alive) {
    message.version(11);
    message.result(static_cast<unsigned>(response.status));
    bool has_policy = false;
    bool has_cache = false;
    for (const auto& [name, value] : response.headers) {
        message.insert(name, value);
        has_policy = has_policy || name == "Content-Security-Policy";
        has_cache = has_cache || name == "Cache-Control";
    }
    if (response.status != 204 && response.status != 304) message.set("Content-Type", response.content_type);
    if (!has_policy) message.set("Content-Security-Policy", kContentSecurityPolicy);
    if (!has_cache) message.set("Cache-Control", "no-store");
    message.set("X-Content-Type-Options", "nosniff");
    message.set("Referrer-Policy", "no-referrer");
    message.set("Cross-Origin-Resource-Policy", "same-origin");
    message.set("Cross-Origin-Opener-Policy", "same-origin");
    message.set("X-Frame-Options", "DENY");
    message.keep_alive(keep_alive);
}

}  // namespace nightshift::api
