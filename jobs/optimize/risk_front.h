#pragma once

#include <vector>

#include "kernels/compat_vectors.h"

namespace nightshift::jobs {

/// What one point in one frame brings to the reference's risk.
struct RiskInput {
    double strain = 0, concentration = 0, angle = 0, acceleration = 0;
};

/// Of all points and frames those that no other one exceeds in all four (above the caps nothing counts): one
/// of them has the largest risk, whatever weights of at least 0 and whatever curve. With the caps of `risk`.
std::vector<RiskInput> risk_front(const kernels::CompatVectors& vectors, const kernels::FrameMetrics* metrics,
                                  const kernels::CompatRisk& risk);

/// The largest risk of a sequence from its front. `risk` has the caps that the front was made with.
double largest_risk(const std::vector<RiskInput>& front, const kernels::CompatRisk& risk);

}  // namespace nightshift::jobs
