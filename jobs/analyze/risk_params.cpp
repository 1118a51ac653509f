#include "jobs/analyze/risk_params.h"

#include <cmath>
#include <limits>
#include <string>

#include <nlohmann/json.hpp>

#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {

using kernels::CompatRisk;

const std::vector<RiskParam>& risk_params() {
    static const std::vector<RiskParam> table{
        {"strain_cap", &CompatRisk::strain_cap, true, "1", "Strain (and stress) that counts in full",
         "최대로 치는 변형률"},
        {"curvature_concentration_cap", &CompatRisk::concentration_cap, true, "1",
         "Concentration of curvature that counts in full", "최대로 치는 곡률 집중도"},
        {"bend_angle_cap_deg", &CompatRisk::angle_cap_deg, true, "deg", "Bend angle that counts in full",
         "최대로 치는 굽힘 각도"},
        {"impact_cap_px_s2", &CompatRisk::impact_cap, true, "px/s²", "Acceleration that counts in full",
         "최대로 치는 가속도"},
        {"w_strain", &CompatRisk::strain_weight, false, "", "Weight of strain", "변형률 가중치"},
        {"w_stress", &CompatRisk::stress_weight, false, "", "Weight of stress", "응력 가중치"},
        {"w_curvature_concentration", &CompatRisk::concentration_weight, false, "",
         "Weight of the concentration of curvature", "곡률 집중도 가중치"},
        {"w_bend_angle", &CompatRisk::angle_weight, false, "", "Weight of the bend angle",
         "굽힘 각도 가중치"},
        {"w_impact", &CompatRisk::impact_weight, false, "", "Weight of the acceleration", "충격 가중치"},
        {"sigmoid_steepness", &CompatRisk::steepness, true, "", "Steepness of the curve to a risk",
         "위험도 곡선의 기울기"},
        {"sigmoid_center", &CompatRisk::centre, false, "", "Weighted mean at which the risk is one half",
         "위험도 0.5의 기준값"}};
    return table;
}

void add_risk_schema(nlohmann::ordered_json& properties) {
    const CompatRisk defaults;
    for (const RiskParam& param : risk_params()) {
        nlohmann::ordered_json& property = properties[std::string(param.name)];
        property = {{"type", "number"},
                    {param.is_positive ? "exclusiveMinimum" : "minimum", 0},
                    {"default", defaults.*param.value},
                    {"description", param.en},
                    {"x-ko", param.ko}};
        if (!param.unit.empty()) property["x-unit"] = param.unit;
    }
}

CompatRisk risk_from(const nlohmann::json& params) {
    CompatRisk risk;
    for (const RiskParam& param : risk_params()) {
        const auto found = params.find(param.name);
        if (found == params.end()) continue;
        const double value =
            found->is_number() ? found->get<double>() : std::numeric_limits<double>::quiet_NaN();
        if (!std::isfinite(value) || (param.is_positive ? value <= 0 : value < 0)) {
            throw JobError("bad_param", "parameter '" + std::string(param.name) + "' is " + found->dump() +
                                            "; it has to be a finite number " +
                                            (param.is_positive ? "above 0" : "of at least 0"));
        }
        risk.*param.value = value;
    }
    require_weights(risk);
    return risk;
}

void require_weights(const CompatRisk& risk) {
    for (const RiskParam& param : risk_params()) {
        if (param.name.starts_with("w_") && risk.*param.value > 0) return;
    }
    throw JobError("bad_param",
                   "all five weights of the risk are 0, so there is nothing to weigh; give one of w_strain, "
                   "w_stress, w_curvature_concentration, w_bend_angle and w_impact a weight");
}

}  // namespace nightshift::jobs
