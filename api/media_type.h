#pragma once

#include <string>
#include <string_view>

namespace nightshift::api {

/// Content-Type by a name's ending; application/octet-stream for what is not known.
std::string media_type_of(std::string_view name);

}  // namespace nightshift::api
