#pragma once

#include <string_view>

#include "web/assets.h"

namespace nightshift::api {

/// The embedded api/openapi.json under the path "/openapi.json"; null for any other. The document is
/// written by hand and held to the table in routes.cpp by a test, both ways.
const web::Asset* openapi_file(std::string_view path);

}  // namespace nightshift::api
