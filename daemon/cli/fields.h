#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace nightshift::cli {

// Reads fields of the daemon's answers. What is missing, null or of another type is empty: a newer or
// older daemon never breaks a listing.

std::string text_at(const nlohmann::json& object, const char* key);     ///< numbers as text too
std::int64_t number_at(const nlohmann::json& object, const char* key);  ///< 0 when missing
double real_at(const nlohmann::json& object, const char* key);          ///< 0 when missing
bool flag_at(const nlohmann::json& object, const char* key);
bool has(const nlohmann::json& object, const char* key);  ///< present and not null
const nlohmann::json& object_at(const nlohmann::json& object, const char* key);
const nlohmann::json& array_at(const nlohmann::json& object, const char* key);

std::string size_text(std::int64_t bytes);  ///< "3.0 GiB"; "-" for 0
std::string seconds_text(double seconds);   ///< "2 h 05 min", "35 s"; "-" below 0

}  // namespace nightshift::cli
