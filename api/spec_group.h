#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace nightshift::api {

/// Names the runs a job can be compared with, for learned budgets and run times: its kind and those
/// parameters that make it large or small. Seeds, paths and references to other jobs do not count; for a
/// command the whole argument list does.
std::string spec_group(const std::string& kind, const std::vector<std::string>& command,
                       const nlohmann::json& params);

}  // namespace nightshift::api
