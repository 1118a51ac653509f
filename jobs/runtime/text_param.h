#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace nightshift::jobs {

/// A parameter that is a text; empty where it is not given or something else.
std::string text_param(const nlohmann::json& params, const char* name);

}  // namespace nightshift::jobs
