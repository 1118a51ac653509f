#include "jobs/fpcb/compat_metadata.h"

#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "jobs/fpcb/bundle_metadata.h"
#include "jobs/fpcb/compat_words.h"
#include "jobs/fpcb/python_text.h"

namespace nightshift::jobs {

namespace {

using kernels::CompatConfig;
using kernels::CompatConstants;
using nlohmann::ordered_json;

double scale_of(const CompatSequence& s) {
    return s.meters_per_pixel > 0 ? s.meters_per_pixel : 1e-3 / s.config.pixels_per_mm;
}

ordered_json config_json(const CompatSequence& s) {
    const CompatConfig& c = s.config;
    ordered_json out;
    out["frames"] = c.frames;
    out["points_per_frame"] = c.points;
    out["fps"] = c.fps;
    out["width"] = c.width;
    out["height"] = c.height;
    out["panel_length_px"] = c.length_px;
    out["panel_thickness_um"] = c.thickness_um;
    out["pixels_per_mm"] = c.pixels_per_mm;
    out["meters_per_pixel"] = scale_of(s);
    out["noise_std"] = c.noise_px;
    out["seed"] = c.seed;
    out["scenario"] = kernels::name_of(c.panel);
    out["noise_mode"] = c.noise_mode == kernels::NoiseMode::kNone ? ordered_json(nullptr)
                                                                  : ordered_json(compat_word(c.noise_mode));
    return out;
}

ordered_json constants_json(const CompatConstants& c) {
    ordered_json out;
    out["final_angle_ratio"] = c.final_angle_ratio;
    out["response_alpha"] = c.response_alpha;
    out["damping"] = c.damping;
    out["crack_gain"] = c.crack_gain;
    out["crack_center_ratio"] = c.crack_centre;
    out["crack_width_ratio"] = c.crack_width;
    out["uv_delay_ratio"] = c.uv_delay;
    out["uv_snap_gain"] = c.uv_snap;
    out["pre_damage_skew"] = c.skew;
    out["shockwave_amplitude"] = c.shock;
    out["shockwave_decay_rate"] = c.shock_decay;
    out["vibration_frequency_hz"] = c.vibration_hz;
    out["vibration_damping"] = c.vibration_damping;
    out["vibration_duration_frames"] = c.vibration_frames;
    return out;
}

/// What the reference writes of one sequence, before what it writes of all of a scenario.
ordered_json own_json(const CompatSequence& s) {
    const CompatConfig& c = s.config;
    ordered_json out;
    out["config"] = config_json(s);
    out["meters_per_pixel"] = scale_of(s);
    out["bend_duration_s"] = (c.frames - 1) / c.fps;
    out["total_frames"] = c.frames;
    out["fps"] = c.fps;
    return out;
}

ordered_json scenario_json(kernels::PanelClass panel) {
    ordered_json out;
    out["units"] = "SI (position m, velocity m/s, acceleration m/s\u00b2 when scale used)";
    out["process_note"] = "Bending timeline aligned with real FPCB side-view process (~2 s typical).";
    out["assumptions"] = {
        "epsilon ~= t/(2R) strain approximation for bending.",
        "Crack/pre-damage modeled as local stiffness loss causing curvature concentration.",
        "Thick panel modeled as increased effective stiffness and lower final bend angle.",
        "UV over-cure modeled as delayed response and late-stage snap tendency.",
        "Drive signal smoothed in time to bound d\u00b2\u03b8/dt\u00b2; lower response_alpha and noise for "
        "realistic acceleration (m/s\u00b2)."};
    out["scenario_params"] = constants_json(kernels::compat_constants(panel));
    out["outputs"] = {
        {"frames_glob", "frame_*.txt"}, {"fps_file", "fps.txt"}, {"frame_metrics_file", "frame_metrics.csv"}};
    return out;
}

/// A scenario's part and its members as text, made once.
struct ScenarioPart {
    ordered_json json;
    std::string text;
};

/// What stands between the braces of an object's text: each line of it ends in front of the next.
std::string_view members_of(std::string_view object) {
    constexpr std::string_view kOpen = "{", kClose = "\n}";
    return object == "{}" ? std::string_view()
                          : object.substr(kOpen.size(), object.size() - kOpen.size() - kClose.size());
}

const ScenarioPart& scenario_part(kernels::PanelClass panel) {
    static const auto parts = [] {
        std::array<ScenarioPart, kernels::kPanelClasses> made;
        for (std::size_t i = 0; i < made.size(); ++i) {
            made[i].json = scenario_json(static_cast<kernels::PanelClass>(i));
            made[i].text = members_of(python_json(made[i].json));
        }
        return made;
    }();
    return parts[static_cast<std::size_t>(panel)];
}

/// metadata.json, and the members of it that apply_metadata_members() looks at, others among them.
struct Metadata {
    std::string text;
    ordered_json known;
};

Metadata metadata_of(const CompatSequence& s) {
    const ScenarioPart& scenario = scenario_part(s.config.panel);
    const ordered_json extra = ordered_json::parse(s.extra);  // named: items() must not outlive it
    Metadata out;
    out.known = own_json(s);
    bool takes_place = false;  // of one of the members before
    for (const auto& [key, value] : extra.items())
        takes_place = takes_place || out.known.contains(key) || scenario.json.contains(key);
    if (takes_place) {
        out.known.update(scenario.json);
    } else {
        out.text = "{" + std::string(members_of(python_json(out.known))) + "," + scenario.text;
        if (!extra.empty()) out.text += "," + std::string(members_of(python_json(extra)));
        out.text += "\n}";
        out.known["scenario_params"] = scenario.json.at("scenario_params");
    }
    for (const auto& [key, value] : extra.items()) out.known[key] = value;
    if (takes_place) out.text = python_json(out.known);
    return out;
}

}  // namespace

std::string compat_metadata(const CompatSequence& s) {
    return metadata_of(s).text;
}

std::string compat_metadata_into(const CompatSequence& s, SequenceInfo& info) {
    Metadata made = metadata_of(s);
    // A scale that JSON has no number for makes a text that nothing can be read from.
    if (std::isfinite(scale_of(s)))
        apply_metadata_members(made.known, info);
    else
        apply_metadata(made.text, info);
    return std::move(made.text);
}

}  // namespace nightshift::jobs
