#pragma once

#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "kernels/compat_vectors.h"

namespace nightshift::jobs {

/// A number of the reference's risk model, under the reference's name.
struct RiskParam {
    std::string_view name;
    double kernels::CompatRisk::*value;
    bool is_positive;  ///< above 0; otherwise at least 0
    std::string_view unit, en, ko;
};

/// All eleven, in the reference's order: caps, weights, curve.
const std::vector<RiskParam>& risk_params();

/// Adds them with the reference's values as defaults to the properties of a kind's schema.
void add_risk_schema(nlohmann::ordered_json& properties);

/// Reads what is given of them, the reference's values for the rest. Throws JobError("bad_param") for a
/// number that is not finite or out of range, and where all weights are 0.
kernels::CompatRisk risk_from(const nlohmann::json& params);

/// Throws JobError("bad_param") where all weights are 0: their mean is divided by their sum.
void require_weights(const kernels::CompatRisk& risk);

}  // namespace nightshift::jobs
