#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace nightshift::cli {

/// The answer of GET …/why for a person: every closed gate with numbers that add up, when it is likely
/// to start, and what would start it.
std::string why_text(const nlohmann::json& why);

}  // namespace nightshift::cli
