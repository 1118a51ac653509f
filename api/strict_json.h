#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "scheduler/result.h"

namespace nightshift::api {

inline constexpr std::size_t kJsonBytesMax = 1024 * 1024;
inline constexpr int kJsonDepthMax = 32;

/// Parses text from outside: at most `bytes_max` (whole MiB), 32 levels, no duplicate keys, no numbers beyond
/// a double, valid UTF-8. Fails: invalid_argument "bad_json" with the place. Time is linear in the text.
Result<nlohmann::json> parse_json(std::string_view text, std::size_t bytes_max = kJsonBytesMax);

/// Output: never throws, repairs what is not UTF-8.
std::string dump_json(const nlohmann::json& value);
std::string dump_json(const nlohmann::ordered_json& value);

}  // namespace nightshift::api
