#include "kernels/panel_event.h"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/bend_dynamics.h"
#include "kernels/cpu/onset_scan.h"
#include "kernels/cpu/panel_shape.h"

namespace nightshift::kernels {

namespace {

// Long arms: a growing kink turns everything behind it, so its direction is best measured far away.
constexpr Arms kGrowthArms{5, 16}, kSuddenArms{4, 12};
// Standard errors that noise alone reaches. Below kNoise a growth is as good as none; a shock well above
// kShock is certain, and being larger makes it no likelier to be damage: benign slips are large too.
constexpr double kNoise = 2, kShock = 5;

double positive(double value) {
    return std::isfinite(value) ? std::max(value, 0.0) : 0;
}

/// Shock at a frame or beside it: growth and shock are seen a frame apart where noise moves one of them.
double shock_near(const std::vector<double>& shock, std::size_t frame) {
    double out = positive(shock[frame]);
    if (frame > 0) out = std::max(out, positive(shock[frame - 1]));
    if (frame + 1 < shock.size()) out = std::max(out, positive(shock[frame + 1]));
    return out;
}

}  // namespace

PanelEvent panel_event(const TrackView& tracks) {
    const PanelShape shape = fit_shape(clean_tracks(tracks));
    const OnsetScan growth = scan_onset(shape, kGrowthArms, false);
    const OnsetScan sudden = scan_onset(shape, kSuddenArms, true);
    const BendDynamics dynamics = fit_dynamics(shape.theta, shape.weight);
    PanelEvent out;
    out.evidence.resize(static_cast<std::size_t>(tracks.frames));
    for (std::size_t f = 0; f < out.evidence.size(); ++f) {
        const double shock = shock_near(dynamics.shock_z, f);
        const double grows = positive(growth.z[f]), suddenly = positive(sudden.z[f]);
        out.evidence[f] = std::sqrt(grows * shock);
        out.score =
            std::max(out.score, std::sqrt((grows + kNoise) * (suddenly + kNoise)) * shock / (shock + kShock));
        if (out.evidence[f] > out.evidence[static_cast<std::size_t>(out.frame)])
            out.frame = static_cast<int>(f);
    }
    out.place = place_share(growth.place[static_cast<std::size_t>(out.frame)]);
    return out;
}

}  // namespace nightshift::kernels
