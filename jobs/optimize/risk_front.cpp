#include "jobs/optimize/risk_front.h"

#include <algorithm>
#include <array>

namespace nightshift::jobs {
namespace {

using Capped = std::array<double, 4>;

Capped capped(const RiskInput& in, const kernels::CompatRisk& risk) {
    return {std::min(1.0, in.strain / risk.strain_cap),
            std::min(1.0, in.concentration / risk.concentration_cap),
            std::min(1.0, in.angle / risk.angle_cap_deg), std::min(1.0, in.acceleration / risk.impact_cap)};
}

bool covers(const Capped& a, const Capped& b) {
    return a[0] >= b[0] && a[1] >= b[1] && a[2] >= b[2] && a[3] >= b[3];
}

/// Inputs kept so far, none of which covers another.
struct Front {
    std::vector<RiskInput> inputs;
    std::vector<Capped> levels;

    void add(const RiskInput& input, const Capped& level) {
        for (const Capped& other : levels) {
            if (covers(other, level)) return;
        }
        for (std::size_t i = levels.size(); i-- > 0;) {
            if (!covers(level, levels[i])) continue;
            levels[i] = levels.back();
            inputs[i] = inputs.back();
            levels.pop_back();
            inputs.pop_back();
        }
        levels.push_back(level);
        inputs.push_back(input);
    }
};

}  // namespace

std::vector<RiskInput> risk_front(const kernels::CompatVectors& v, const kernels::FrameMetrics* metrics,
                                  const kernels::CompatRisk& risk) {
    Front front;
    for (std::size_t i = 0; i < v.rows(); ++i) {
        const auto f = static_cast<std::size_t>(v.frame[i]);
        const RiskInput input{v.strain[i], metrics == nullptr ? 1 : metrics->curvature_concentration[f],
                              metrics == nullptr ? 0 : metrics->bend_angle_deg[f], v.acceleration[i]};
        front.add(input, capped(input, risk));
    }
    return front.inputs;
}

double largest_risk(const std::vector<RiskInput>& front, const kernels::CompatRisk& risk) {
    double largest = 0;
    for (const RiskInput& in : front) {
        largest = std::max(
            largest, kernels::compat_risk(in.strain, in.concentration, in.angle, in.acceleration, risk));
    }
    return largest;
}

}  // namespace nightshift::jobs
