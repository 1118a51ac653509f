#pragma once

#include <string>
#include <vector>

#include "kernels/track_view.h"

namespace nightshift::kernels {

/// Smallest sequence that has features at all.
inline constexpr int kPanelFramesMin = 20, kPanelPointsMin = 60;

struct PanelFeatureName {
    std::string name;
    bool is_conditioning;   ///< says how it was seen (noise, jitter), not what it is: no one-class input
};

/// Names of the sequence-level features, in order.
const std::vector<PanelFeatureName>& panel_feature_names();

/// Features of one sequence from its tracks alone. in: frames >= 20, points >= 60, whole or sub-pixel;
/// out: one value a name, finite. Double throughout; any thread; about 1 ms on one core.
///
/// The tangent angle along the panel is fitted as phi(s, t) = a(t) + c(s) + theta(t) Omega(s): Omega shows
/// kinks, what is left shows kinks that grow at a moment (onset), theta(t) shows how the panel follows its
/// drive and where it jumped (shock). Source: own derivation.
std::vector<double> panel_features(const TrackView& tracks);

}  // namespace nightshift::kernels
