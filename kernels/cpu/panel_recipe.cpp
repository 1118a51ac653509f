#include "kernels/panel_recipe.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/draws.h"
#include "kernels/generator_body.h"

namespace nightshift::kernels {

namespace {

constexpr double kDegree = 0.017453292519943295;
constexpr double kRootTwoPi = 2.5066282746310002;
constexpr int kClassBits = 27;  ///< index bits of a stream; 134 million sequences a class

struct Range {
    double low, high;
};

/// The reference's constants of a class.
struct Constants {
    double angle_ratio, alpha, gain, centre, width, delay, snap, skew, shock, decay, hz, vibration_damping;
    int vibration_frames;
    Range points, noise, length;
};

constexpr Range kNormalPoints{200, 260}, kPoints{210, 250};
constexpr std::array<Constants, kPanelClasses> kConstants{{
    {1.00, .12, 0, .65, .05, 0, 0, 0, 0, .2, 0, 0, 0, kNormalPoints, {.12, .38}, {210, 250}},
    {1.00, .12, 0, .65, .05, 0, 0, 0, 0, .2, 0, 0, 0, kNormalPoints, {.12, .38}, {210, 250}},
    {.95, .20, 16, .72, .009, 0, 0, .05, 3.5, .15, 25, .92, 15, kPoints, {.15, .35}, {215, 245}},
    {.86, .14, .7, .62, .04, .32, .22, .03, 1.5, .18, 20, .93, 12, kPoints, {.15, .35}, {215, 245}},
    {.97, .18, 5, .70, .015, 0, 0, .02, 1.2, .25, 12, .95, 8, kPoints, {.18, .38}, {215, 245}},
    {.90, .16, 1.9, .68, .03, 0, 0, .08, 1.2, .20, 15, .94, 10, kPoints, {.18, .35}, {215, 245}},
    {.72, .10, 0, .65, .05, 0, 0, 0, 0, .2, 0, 0, 0, kPoints, {.12, .30}, {220, 248}},
}};

/// What a level draws for the damage of one class; share = of the extra angle, 0..1.
struct DamageRanges {
    double angle_mean;
    Range alpha, delay, snap, share, width, shock, before;
};

/// Nuisance parameters of a level: the same for every class.
struct Level {
    double angle_mean, angle_sd;
    Range alpha, start, duration, delay, snap;
    double skew_sd;
    Range bump;
    double fold_chance, slip_chance, both_chance;
    Range fold_yield;
    double rotation, scale, anisotropy, drift;
    double jitter_px, jitter_rotation, jitter_scale;
    Range noise;
    double waviness, burst_chance;
    int burst_frames;
    Range centre, event;
    DamageRanges crack, uv, micro, pre;
};

constexpr Level kStandard{
    .96,
    .06,
    {.10, .19},
    {-.04, .06},
    {.92, 1.06},
    {0, .14},
    {0, .09},
    .06,
    {-.25, .50},
    .33,
    .32,
    .05,
    {0, .7},
    5 * kDegree,
    .10,
    .015,
    .05,
    .5,
    .15 * kDegree,
    .003,
    {.12, .45},
    .10,
    .3,
    5,
    {.45, .85},
    {.45, .80},
    {.93, {.11, .22}, {0, .14}, {0, .09}, {.05, .32}, {.006, .020}, {.6, 3.2}, {0, .6}},
    {.90, {.11, .20}, {.05, .26}, {.03, .17}, {.01, .07}, {.02, .06}, {.35, 1.5}, {1, 1}},
    {.95, {.11, .21}, {0, .14}, {0, .09}, {.04, .18}, {.008, .025}, {.35, 1.5}, {0, .6}},
    {.91, {.11, .21}, {0, .14}, {0, .09}, {.05, .18}, {.015, .045}, {.35, 1.5}, {.3, .75}}};

constexpr Level kHard{
    .95,
    .065,
    {.10, .20},
    {-.06, .09},
    {.88, 1.10},
    {0, .16},
    {0, .10},
    .08,
    {-.30, .65},
    .30,
    .30,
    .15,
    {0, .8},
    10 * kDegree,
    .20,
    .03,
    .15,
    1.0,
    .25 * kDegree,
    .006,
    {.15, .55},
    .18,
    .4,
    10,
    {.40, .88},
    {.40, .85},
    {.935, {.10, .21}, {0, .16}, {0, .10}, {.05, .28}, {.006, .022}, {.5, 2.8}, {.1, .7}},
    {.92, {.10, .21}, {.05, .25}, {.03, .17}, {.01, .07}, {.02, .06}, {.35, 1.4}, {1, 1}},
    {.945, {.10, .21}, {0, .16}, {0, .10}, {.035, .15}, {.008, .028}, {.35, 1.4}, {.1, .7}},
    {.925, {.10, .21}, {0, .16}, {0, .10}, {.045, .16}, {.015, .045}, {.35, 1.4}, {.3, .8}}};

double pick(Draws& draws, Range range) {
    return draws.uniform(range.low, range.high);
}

double gain_for(double share, double width) {
    return share / (width * kRootTwoPi);
}

void draw_easy(PanelRecipe& r, Draws& draws) {
    const Constants& c = kConstants[static_cast<std::size_t>(r.panel)];
    r.points = draws.between(static_cast<int>(c.points.low), static_cast<int>(c.points.high));
    r.noise_px = pick(draws, c.noise);
    r.length_px = pick(draws, c.length);
    const bool is_normal = r.panel == PanelClass::kNormal || r.panel == PanelClass::kLightDistortion;
    r.pixels_per_mm = is_normal ? draws.uniform(8, 12) : 10;
    r.noise_mode = static_cast<NoiseMode>(1 + draws.below(5));
    r.angle_ratio = c.angle_ratio;
    r.alpha = c.alpha;
    r.delay = c.delay;
    r.snap = c.snap;
    r.skew = c.skew;
    r.damage = {c.gain, c.centre, c.width};
    if (c.gain > 0) r.event_frame = static_cast<int>(c.centre * (r.frames - 1));
    r.shock = c.shock;
    r.shock_decay = c.decay;
    r.vibration_hz = c.hz;
    r.vibration_damping = c.vibration_damping;
    r.vibration_frames = c.vibration_frames;
    r.is_distorted = r.panel == PanelClass::kLightDistortion;
}

/// Camera, light, noise: what has nothing to do with the panel.
void draw_view(PanelRecipe& r, const Level& level, Draws& draws) {
    r.rotation = draws.uniform(-level.rotation, level.rotation);
    r.scale = 1 + draws.uniform(-level.scale, level.scale);
    r.anisotropy = draws.uniform(-level.anisotropy, level.anisotropy);
    r.drift_x = draws.uniform(-level.drift, level.drift);
    r.drift_y = draws.uniform(-level.drift, level.drift);
    r.jitter_px = draws.uniform(0, level.jitter_px);
    r.jitter_rotation = draws.uniform(0, level.jitter_rotation);
    r.jitter_scale = draws.uniform(0, level.jitter_scale);
    r.noise_px = pick(draws, level.noise);
    r.waviness_px = draws.uniform(0, level.waviness);
    r.noise_mode = draws.chance(.2) ? NoiseMode::kOutlier : NoiseMode::kNone;
    const bool has_burst = draws.chance(level.burst_chance);
    const int length = draws.between(1, level.burst_frames);
    const auto first = static_cast<int>(draws.below(static_cast<std::uint32_t>(r.frames)));
    if (has_burst) {
        r.burst_first = first;
        r.burst_frames = length;
    }
    const bool distorted = draws.chance(.07);
    r.is_distorted = r.panel == PanelClass::kLightDistortion || (is_damaged(r.panel) && distorted);
}

/// Folds and stick-slip occur on good and damaged panels alike.
void draw_benign(PanelRecipe& r, const Level& level, Draws& draws) {
    r.skew = draws.normal(0, level.skew_sd);
    r.bump = {pick(draws, level.bump), draws.uniform(.2, .9), draws.uniform(.06, .15)};
    const double kind = draws.uniform(0, 1);
    const double width = draws.uniform(.007, .04);
    const Kink fold{gain_for(draws.uniform(.02, .25), width), draws.uniform(.35, .9), width};
    const double yield = pick(draws, level.fold_yield);
    const auto slip_frame = static_cast<int>(draws.uniform(.2, .85) * (r.frames - 1));
    const double slip = draws.uniform(.25, 2.5), decay = draws.uniform(.12, .30), hz = draws.uniform(10, 27);
    const double both = level.both_chance, only_fold = both + level.fold_chance;
    if (kind < only_fold) {
        r.fold = fold;
        r.fold_yield = yield;
    }
    if (kind < both || (kind >= only_fold && kind < only_fold + level.slip_chance)) {
        r.slip_frame = slip_frame;
        r.slip_shock = slip;
        r.slip_decay = decay;
        r.slip_hz = hz;
    }
}

void draw_damage(PanelRecipe& r, const Level& level, const DamageRanges& d, Draws& draws) {
    r.angle_ratio = draws.normal(d.angle_mean, level.angle_sd);
    r.alpha = draws.log_uniform(d.alpha.low, d.alpha.high);
    r.delay = pick(draws, d.delay);
    r.snap = pick(draws, d.snap);
    const double width = pick(draws, d.width);
    r.damage = {gain_for(pick(draws, d.share), width), pick(draws, level.centre), width};
    r.damage_before = pick(draws, d.before);
    r.event_frame = static_cast<int>(pick(draws, level.event) * (r.frames - 1) + .5);
    r.shock = pick(draws, d.shock);
    r.shock_decay = draws.uniform(.12, .30);
    r.vibration_hz = draws.uniform(10, 27);
}

void draw_level(PanelRecipe& r, const Level& level, Draws& draws) {
    r.points = draws.between(200, 260);
    r.length_px = draws.uniform(210, 250);
    r.pixels_per_mm = draws.uniform(8, 12);
    draw_view(r, level, draws);
    draw_benign(r, level, draws);
    r.start = pick(draws, level.start);
    r.duration = pick(draws, level.duration);
    r.vibration_frames = 12;
    switch (r.panel) {
        case PanelClass::kCrack:
            draw_damage(r, level, level.crack, draws);
            break;
        case PanelClass::kUvOvercured:
            draw_damage(r, level, level.uv, draws);
            break;
        case PanelClass::kMicroCrack:
            draw_damage(r, level, level.micro, draws);
            break;
        case PanelClass::kPreDamage:
            draw_damage(r, level, level.pre, draws);
            break;
        case PanelClass::kNormal:
        case PanelClass::kLightDistortion:
        case PanelClass::kThickPanel: {
            const bool is_thick = r.panel == PanelClass::kThickPanel;
            r.angle_ratio = draws.normal(is_thick ? .74 : level.angle_mean, level.angle_sd);
            r.alpha = draws.log_uniform(is_thick ? .08 : level.alpha.low, is_thick ? .15 : level.alpha.high);
            r.delay = pick(draws, level.delay);
            r.snap = pick(draws, level.snap);
            break;
        }
    }
    r.angle_ratio = std::clamp(r.angle_ratio, .55, 1.10);
}

}  // namespace

std::string_view name_of(PanelClass panel) {
    constexpr std::array<std::string_view, kPanelClasses> kNames{
        "normal", "light_distortion", "crack", "uv_overcured", "micro_crack", "pre_damage", "thick_panel"};
    return kNames[static_cast<std::size_t>(panel)];
}

bool is_damaged(PanelClass panel) {
    return panel == PanelClass::kCrack || panel == PanelClass::kUvOvercured ||
           panel == PanelClass::kMicroCrack || panel == PanelClass::kPreDamage;
}

PanelRecipe draw_recipe(PanelClass panel, std::uint32_t index, std::uint64_t seed, Difficulty difficulty,
                        int frames, double fps) {
    PanelRecipe recipe;
    recipe.panel = panel;
    recipe.key = seed;
    recipe.stream = (static_cast<std::uint32_t>(panel) << kClassBits) | index;
    recipe.frames = frames;
    recipe.fps = fps;
    Draws draws(seed, recipe.stream, kDrawRecipe, static_cast<std::uint32_t>(difficulty));
    switch (difficulty) {
        case Difficulty::kEasy:
            draw_easy(recipe, draws);
            break;
        case Difficulty::kStandard:
            draw_level(recipe, kStandard, draws);
            break;
        case Difficulty::kHard:
            draw_level(recipe, kHard, draws);
            break;
    }
    return recipe;
}

}  // namespace nightshift::kernels
