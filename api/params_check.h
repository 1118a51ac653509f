#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "api/submit_codec.h"

namespace nightshift::api {

/// What a check of `params` found beside the errors.
struct ParamsFound {
    std::vector<JobId> parents;      ///< of every `job:ID` reference, each once
    std::optional<Millis> estimate;  ///< KindInfo::estimate_param, or its default
};

/// Checks params against a kind's JSON Schema. Understood: type, enum, minimum, maximum, minItems,
/// required, items, properties, oneOf/anyOf, default, "x-artifact" (a full path that exists, or "job:ID")
/// and "x-path" (true: a full path that exists). Unknown names are refused with the nearest known one.
ParamsFound check_params(const KindInfo& kind, const nlohmann::json& params, const SubmitDefaults& defaults,
                         std::vector<Error>& errors);

/// "job:12" -> 12. Nothing for anything else.
std::optional<JobId> parse_job_reference(std::string_view text);
/// "job:#3" or "#3" -> 3.
std::optional<std::size_t> parse_chain_reference(std::string_view text);

/// A path of the machine has to be absolute, below one of the policy's roots (when it names any) and
/// there. Adds the error with `pointer` otherwise.
bool check_path(const std::string& path, const std::string& pointer, const SubmitDefaults& defaults,
                bool wants_folder, std::vector<Error>& errors);

}  // namespace nightshift::api
