#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nightshift::db {

/// Lists of texts in one BLOB: each text ends with a NUL byte, as in /proc/PID/cmdline. Texts hold no
/// NUL themselves (argv and environment cannot).
std::string pack(const std::vector<std::string>& texts);
std::vector<std::string> unpack(std::string_view blob);

/// Name and value alternate.
std::string pack_pairs(const std::vector<std::pair<std::string, std::string>>& pairs);
std::vector<std::pair<std::string, std::string>> unpack_pairs(std::string_view blob);

/// Numbers keep all their bits (hexadecimal floating point).
std::string pack_numbers(const std::vector<std::pair<std::string, double>>& numbers);
std::vector<std::pair<std::string, double>> unpack_numbers(std::string_view blob);

}  // namespace nightshift::db
