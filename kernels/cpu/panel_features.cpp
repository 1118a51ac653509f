#include "kernels/panel_features.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "kernels/cpu/bend_dynamics.h"
#include "kernels/cpu/onset_scan.h"
#include "kernels/cpu/panel_shape.h"

namespace nightshift::kernels {

namespace {

constexpr int kClampPoints = 12;  ///< points beside the clamp: they move with the camera alone
constexpr int kAfterFrames = 12;  ///< of a vibration
constexpr Arms kLongArms{3, 9}, kShortArms{2, 5};
constexpr std::array<int, 3> kJumpWidths{2, 4, 7};  ///< half widths in places, about 4, 8, 16 points

/// Collects names and values side by side, so that they cannot get out of step.
class Features {
  public:
    void add(const char* name, double value, bool is_conditioning = false) {
        names.push_back({name, is_conditioning});
        values.push_back(std::isfinite(value) ? value : 0.0);
    }
    std::vector<PanelFeatureName> names;
    std::vector<double> values;
};

/// Heavy tails of test statistics, made harmless: sign(z) log(1 + |z|).
double tame(double z) {
    return std::copysign(std::log1p(std::abs(z)), z);
}

/// The extra bend of each place over its neighbourhood: Omega's jump over 2h places less what the places
/// around it bend.
struct Jumps {
    double largest = 0, contrast = 0, second = 0, spread = 0, smallest = 0;
    int place = 0;
};

Jumps find_jumps(const PanelShape& s, int h) {
    Jumps out;
    std::vector<double> contrasts;
    std::vector<int> places;
    for (int j = 3 * h; j < kPlaces - 3 * h; ++j) {
        const auto omega = [&](int k) { return s.omega[static_cast<std::size_t>(k)]; };
        const double inner = omega(j + h) - omega(j - h), outer = omega(j + 3 * h) - omega(j - 3 * h);
        const double contrast = inner - (outer - inner) / 2;
        contrasts.push_back(contrast);
        places.push_back(j);
        if (contrast > out.contrast) {
            out.contrast = contrast;
            out.largest = inner - 2 * h * kPlaceStep;
            out.place = j;
        }
        out.smallest = std::min(out.smallest, contrast);
    }
    for (std::size_t i = 0; i < contrasts.size(); ++i) {
        if (std::abs(places[i] - out.place) >= 4 * h) out.second = std::max(out.second, contrasts[i]);
    }
    out.spread = robust_deviation(contrasts);
    return out;
}

double crossing(const std::vector<double>& theta, double level) {
    for (std::size_t f = 1; f < theta.size(); ++f) {
        if (theta[f] >= level && theta[f - 1] < level) {
            return (static_cast<double>(f - 1) + (level - theta[f - 1]) / (theta[f] - theta[f - 1])) /
                   static_cast<double>(theta.size() - 1);
        }
    }
    return 1;
}

void add_shape(Features& out, const PanelShape& s) {
    std::array<Jumps, 3> jumps;
    for (std::size_t k = 0; k < jumps.size(); ++k) jumps[k] = find_jumps(s, kJumpWidths[k]);
    out.add("kink_narrow", std::log(.003 + jumps[0].contrast));
    out.add("kink_middle", std::log(.003 + jumps[1].contrast));
    out.add("kink_wide", std::log(.003 + jumps[2].contrast));
    out.add("kink_sharpness", std::log((.003 + jumps[0].contrast) / (.003 + jumps[2].contrast)));
    out.add("kink_second", std::log(.003 + jumps[1].second));
    out.add("kink_excess", tame(jumps[1].contrast / std::max(jumps[1].spread, 1e-4)));
    out.add("kink_place", place_share(jumps[1].place));
    out.add("kink_dent", std::log(.003 - jumps[1].smallest));
    double skew = 0, bow = 0;
    for (int j = 0; j < kPlaces; ++j) {
        const double u = 2 * (place_share(j) - .5) / .9,
                     d = s.omega[static_cast<std::size_t>(j)] - place_share(j);
        skew += d * (3 * u * u - 1) / 2;
        bow += d * (5 * u * u * u - 3 * u) / 2;
    }
    out.add("bend_skew", skew / kPlaces);
    out.add("bend_bow", bow / kPlaces);
}

void add_onset(Features& out, const OnsetScan& plain, const OnsetScan& yielding, const OnsetScan& narrow,
               int frames) {
    out.add("onset_z", tame(plain.best_z));
    out.add("onset_height", std::log(.003 + plain.best_height));
    out.add("onset_sudden_z", tame(yielding.best_z));
    out.add("onset_sudden_height", std::log(.003 + yielding.best_height));
    out.add("onset_narrow_z", tame(narrow.best_z));
    out.add("onset_frame", static_cast<double>(yielding.best_frame) / frames);
    out.add("onset_local", tame(yielding.best_z - yielding.elsewhere_z));
    out.add("onset_asymmetry", tame(yielding.best_z + yielding.least_z));
}

void add_dynamics(Features& out, const PanelShape& s, const BendDynamics& d) {
    const auto frames = static_cast<double>(s.frames);
    out.add("end_angle", d.model.end / std::numbers::pi);
    out.add("alpha", std::log(d.model.alpha));
    out.add("drive_begin", d.model.begin);
    out.add("drive_finish", d.model.finish);
    out.add("snap", d.model.snap);
    out.add("snap_gain", d.snap_gain);
    out.add("delay_gain", d.delay_gain);
    out.add("shock_z", tame(d.best_z));
    out.add("shock_amplitude", std::log1p(std::max(d.best_amplitude, 0.0)));
    out.add("shock_second_z", tame(d.second_z));
    out.add("shock_frame", d.best_frame / frames);
    out.add("bend_misfit", std::log(d.misfit + 1e-4));
    std::vector<double> speed(s.theta.size(), 0);
    for (std::size_t f = 1; f < speed.size(); ++f) speed[f] = s.theta[f] - s.theta[f - 1];
    double jump = 0, peak = 1e-6;
    std::size_t peak_frame = 0;
    for (std::size_t f = 1; f + 1 < speed.size(); ++f) {
        const double smooth = (speed[f - 1] + speed[f] + speed[f + 1]) / 3;
        if (smooth > peak) {
            peak = smooth;
            peak_frame = f;
        }
    }
    for (std::size_t f = 4; f + 2 < speed.size(); ++f) {
        jump = std::max(jump, (speed[f + 1] + speed[f] - speed[f - 1] - speed[f - 2]) / 2);
    }
    const double last =
        (s.theta[s.theta.size() - 1] + s.theta[s.theta.size() - 2] + s.theta[s.theta.size() - 3]) / 3;
    out.add("final_angle", last / std::numbers::pi);
    out.add("time_10", crossing(s.theta, .1 * last));
    out.add("time_50", crossing(s.theta, .5 * last));
    out.add("time_90", crossing(s.theta, .9 * last));
    out.add("peak_speed", std::log(peak));
    out.add("peak_frame", static_cast<double>(peak_frame) / frames);
    out.add("slope_jump", jump / peak);
}

/// Damage shows at one moment in both ways: a kink that grows and a panel that jumps.
void add_together(Features& out, const OnsetScan& plain, const OnsetScan& sudden, const BendDynamics& d,
                  int frames) {
    double together = 0, together_sudden = 0, place_height = 0, at_frame = 0;
    for (int f = plain.first; f < plain.last; ++f) {
        double shock = 0;
        for (int near = std::max(f - 1, 0); near <= std::min(f + 1, frames - 1); ++near) {
            shock = std::max(shock, d.shock_z[static_cast<std::size_t>(near)]);
        }
        const auto i = static_cast<std::size_t>(f);
        const double both = std::sqrt(std::max(plain.z[i], 0.0) * shock);
        together = std::max(together, both);
        const double both_sudden = std::sqrt(std::max(sudden.z[i], 0.0) * shock);
        if (both_sudden > together_sudden) {
            together_sudden = both_sudden;
            place_height = sudden.height[i];
            at_frame = static_cast<double>(f) / frames;
        }
    }
    double at_onset = 0;
    for (int near = std::max(sudden.best_frame - 1, 0); near <= std::min(sudden.best_frame + 1, frames - 1);
         ++near) {
        at_onset = std::max(at_onset, d.shock_z[static_cast<std::size_t>(near)]);
    }
    out.add("onset_and_shock", tame(together));
    out.add("sudden_onset_and_shock", tame(together_sudden));
    out.add("together_height", std::log(.003 + std::max(place_height, 0.0)));
    out.add("together_frame", at_frame);
    out.add("shock_at_onset", tame(at_onset));
    out.add("onset_at_shock", tame(sudden.z[static_cast<std::size_t>(std::min(d.best_frame, frames - 1))]));
}

/// Position of the clamped end in each frame, from the points beside it.
std::vector<double> clamp_heights(const CleanTracks& t) {
    std::vector<double> out;
    for (int f = 0; f < t.frames; ++f) {
        double sum = 0;
        for (int p = 0; p < kClampPoints; ++p) sum += t.y[t.at(f, p)];
        out.push_back(sum / kClampPoints);
    }
    return out;
}

void add_view(Features& out, const CleanTracks& t, const PanelShape& s, const OnsetScan& sudden,
              const BendDynamics& d) {
    const std::vector<double> height = clamp_heights(t);
    std::vector<double> wiggle(height.size(), 0), turn(height.size(), 0);
    for (std::size_t f = 1; f + 1 < height.size(); ++f) {
        wiggle[f] = height[f - 1] - 2 * height[f] + height[f + 1];
        turn[f] = s.rotation[f - 1] - 2 * s.rotation[f] + s.rotation[f + 1];
    }
    const auto energy_after = [&](int frame) {
        double inside = 0, outside = 0, n_inside = 1e-9, n_outside = 1e-9;
        for (int f = 1; f + 1 < static_cast<int>(wiggle.size()); ++f) {
            const double square = wiggle[static_cast<std::size_t>(f)] * wiggle[static_cast<std::size_t>(f)];
            const bool is_after = f >= frame && f < frame + kAfterFrames;
            (is_after ? inside : outside) += square;
            (is_after ? n_inside : n_outside) += 1;
        }
        return .5 * std::log((inside / n_inside + .01) / (outside / n_outside + .01));
    };
    out.add("vibration_after_onset", energy_after(sudden.best_frame));
    out.add("vibration_after_shock", energy_after(d.best_frame));
    out.add("shape_residual", std::log(s.residual + 1e-4));
    std::vector<double> noise = t.noise_px;
    std::sort(noise.begin(), noise.end());
    const double median = noise[noise.size() / 2];
    double disturbed = 0;
    for (double value : noise) disturbed += value > 1.7 * median ? 1 : 0;
    out.add("view_noise", std::log(median), true);
    out.add("view_noise_top", std::log(noise.back()), true);
    out.add("view_disturbed", disturbed / static_cast<double>(noise.size()), true);
    out.add("view_outliers", t.outlier_rate, true);
    out.add("view_jitter", std::log(robust_deviation(wiggle) + .01), true);
    out.add("view_turning", std::log(robust_deviation(turn) + 1e-5), true);
}

Features compute(const TrackView& tracks) {
    const CleanTracks clean = clean_tracks(tracks);
    const PanelShape shape = fit_shape(clean);
    const OnsetScan plain = scan_onset(shape, kLongArms, false);
    const OnsetScan sudden = scan_onset(shape, kLongArms, true);
    const OnsetScan narrow = scan_onset(shape, kShortArms, true);
    const BendDynamics dynamics = fit_dynamics(shape.theta, shape.weight);
    Features out;
    add_shape(out, shape);
    add_onset(out, plain, sudden, narrow, tracks.frames);
    add_dynamics(out, shape, dynamics);
    add_together(out, plain, sudden, dynamics, tracks.frames);
    add_view(out, clean, shape, sudden, dynamics);
    return out;
}

}  // namespace

const std::vector<PanelFeatureName>& panel_feature_names() {
    static const std::vector<PanelFeatureName> names = [] {
        // The names come from the same code as the values: run it once on a straight panel.
        TrackView still;
        still.points = kPanelPointsMin;
        still.frames = kPanelFramesMin;
        std::vector<std::int16_t> x, y;
        for (int f = 0; f < still.frames; ++f) {
            for (int p = 0; p < still.points; ++p) {
                x.push_back(static_cast<std::int16_t>(p));
                y.push_back(0);
            }
        }
        still.x = x;
        still.y = y;
        return compute(still).names;
    }();
    return names;
}

std::vector<double> panel_features(const TrackView& tracks) {
    return compute(tracks).values;
}

}  // namespace nightshift::kernels
