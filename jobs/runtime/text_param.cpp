#include "jobs/runtime/text_param.h"

#include <nlohmann/json.hpp>

namespace nightshift::jobs {

std::string text_param(const nlohmann::json& params, const char* name) {
    const auto value = params.find(name);
    return value == params.end() || !value->is_string() ? "" : value->get<std::string>();
}

}  // namespace nightshift::jobs
