#pragma once

#include <nlohmann/json_fwd.hpp>

namespace nightshift::jobs {

/// Parameters of kind detect.cpd. What depends on compat has no default here; cpd_settings() knows them.
nlohmann::ordered_json cpd_schema();

}  // namespace nightshift::jobs
