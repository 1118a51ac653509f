#pragma once

#include <string_view>

namespace nightshift::web {

/// One file of the dashboard as it lies in the binary: static storage, valid for the whole run.
struct Asset {
    std::string_view bytes;
    std::string_view mime;   ///< value of Content-Type, charset included
    std::string_view etag;   ///< quoted, made from the SHA-256 of the bytes
};

/// The file for a request path ("/", "/app.css", "/vendor/lit-html.js"); null when there is none.
/// "/" is index.html. Query and fragment must be cut off before. Thread: any.
const Asset* lookup(std::string_view path);

}  // namespace nightshift::web
