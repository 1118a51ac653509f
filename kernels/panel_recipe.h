#pragma once

#include <cstdint>
#include <string_view>

namespace nightshift::kernels {

enum class PanelClass : std::uint8_t {
    kNormal, kLightDistortion, kCrack, kUvOvercured, kMicroCrack, kPreDamage, kThickPanel
};
inline constexpr int kPanelClasses = 7;
std::string_view name_of(PanelClass panel);   ///< "normal", "light_distortion", "crack", ...
bool is_damaged(PanelClass panel);

enum class Difficulty : std::uint8_t { kEasy, kStandard, kHard };

enum class NoiseMode : std::uint8_t { kNone, kGaussian, kOutlier, kDrift, kScaleJitter, kMixed };

/// A place where the panel bends more than its surroundings: a Gaussian of the weight along the panel.
struct Kink {
    double gain = 0;     ///< added weight at the centre
    double centre = 0;   ///< share of the length, 0 at the clamp
    double width = 1;    ///< standard deviation, share of the length
};

/// Everything drawn for one sequence. Lengths in pixels, angles in radians, times in frames.
struct PanelRecipe {
    PanelClass panel = PanelClass::kNormal;
    std::uint64_t key = 0;            ///< of the whole data set
    std::uint32_t stream = 0;         ///< (class, index); no two sequences share one
    int points = 0, frames = 0;
    double fps = 30;
    double length_px = 0, pixels_per_mm = 10, noise_px = 0;
    NoiseMode noise_mode = NoiseMode::kNone;

    double angle_ratio = 1;           ///< final angle / pi
    double alpha = .12;               ///< share of the remaining angle closed in a frame
    double start = 0, duration = 1;   ///< of the drive, share of the sequence
    double delay = 0, snap = 0;
    double skew = 0;
    Kink bump, fold, damage;
    double fold_yield = 0;            ///< share of the fold that appears gradually
    double damage_before = 1;         ///< share of the damage there before the event
    int event_frame = -1;             ///< damage grows and the shock starts; -1 = none
    double shock = 0, shock_decay = .2;
    double vibration_hz = 0, vibration_damping = .93;
    int vibration_frames = 0;
    int slip_frame = -1;              ///< benign stick-slip: a shock without damage
    double slip_shock = 0, slip_decay = .2, slip_hz = 0;

    double rotation = 0, scale = 1, anisotropy = 0;
    double drift_x = 0, drift_y = 0;                              ///< px per frame
    double jitter_px = 0, jitter_rotation = 0, jitter_scale = 0;  ///< standard deviations per frame
    double waviness_px = 0;
    bool is_distorted = false;        ///< every frame under disturbed light
    int burst_first = -1, burst_frames = 0;
};

/// Draws the recipe of sequence `index` (from 0) of a class. Pure: the same arguments give the same
/// recipe on every machine. `easy` has the constants of the public reference generator; standard and hard
/// draw the nuisance parameters, the same for every class but those that make the damage.
PanelRecipe draw_recipe(PanelClass panel, std::uint32_t index, std::uint64_t seed, Difficulty difficulty,
                        int frames = 60, double fps = 30.0);

}  // namespace nightshift::kernels
