#include "jobs/fpcb/compat_bundle.h"

#include <array>
#include <cmath>
#include <numeric>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "jobs/fpcb/bundle_tree.h"
#include "jobs/fpcb/compat_metadata.h"
#include "jobs/fpcb/compat_words.h"
#include "jobs/fpcb/python_text.h"
#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {

namespace {

using kernels::CompatConfig;
using nlohmann::json;
using nlohmann::ordered_json;

/// The order in which the reference's data set recipe adds its own keys.
constexpr std::array<std::string_view, 7> kExtraOrder{"goal",  "scenario",   "label",     "crack_frame",
                                                      "split", "dataset_id", "noise_mode"};

constexpr std::size_t kMetricsRowBytes = 48;  ///< what a line of frame_metrics.csv mostly takes at most

std::string metrics_text(const kernels::FrameMetrics& metrics, double fps) {
    std::string out = "frame,time_s,bend_angle_deg,curvature_concentration,est_max_strain\r\n";
    out.reserve(out.size() + metrics.bend_angle_deg.size() * kMetricsRowBytes);
    for (std::size_t f = 0; f < metrics.bend_angle_deg.size(); ++f) {
        out += std::to_string(f);
        out += ',';
        append_python_rounded(out, static_cast<double>(f) / fps, 5);
        out += ',';
        append_python_rounded(out, metrics.bend_angle_deg[f], 4);
        out += ',';
        append_python_rounded(out, metrics.curvature_concentration[f], 4);
        out += ',';
        append_python_rounded(out, metrics.est_max_strain[f], 6);
        out += "\r\n";
    }
    return out;
}

[[noreturn]] void refuse(const std::string& where, const std::string& problem) {
    throw JobError("bad_param", where + ": " + problem);
}

/// Reads the keys of one entry and remembers which it knew.
class EntryReader {
  public:
    EntryReader(const json& entry, const std::string& where) : entry_(entry), where_(where) {}

    void whole(const char* key, int& into, int low, int high) {
        const json* value = take(key);
        if (value == nullptr) return;
        const bool fits =
            value->is_number_integer() && value->get<double>() >= low && value->get<double>() <= high;
        if (!fits)
            refuse(where_, std::string(key) + " must be an integer from " + std::to_string(low) + " to " +
                               std::to_string(high));
        into = value->get<int>();
    }
    void number(const char* key, double& into, double low, double high, bool is_open) {
        const json* value = take(key);
        if (value == nullptr || value->is_null()) return;
        const double found = value->is_number() ? value->get<double>() : NAN;
        if (!(found >= low && found <= high) || (is_open && found == low))
            refuse(where_, std::string(key) + " must be a number " + (is_open ? "above " : "from ") +
                               python_repr(low) + " to " + python_repr(high));
        into = found;
    }
    const json* take(const char* key) {
        const auto found = entry_.find(key);
        known_.emplace_back(key);
        return found == entry_.end() ? nullptr : &*found;
    }
    void refuse_others() const {
        for (const auto& [key, unused] : entry_.items()) {
            bool is_known = false;
            std::string list;
            for (const std::string& word : known_) {
                is_known = is_known || word == key;
                list += (list.empty() ? "" : ", ") + word;
            }
            if (!is_known) refuse(where_, "no key '" + key + "'; there are " + list);
        }
    }

  private:
    const json& entry_;
    const std::string& where_;
    std::vector<std::string> known_;
};

ordered_json extra_of(const json& given, const std::string& where) {
    ordered_json out = ordered_json::object();
    if (given.is_null()) return out;
    if (given.is_object()) {
        for (const std::string_view key : kExtraOrder) {
            if (const auto found = given.find(key); found != given.end()) out[std::string(key)] = *found;
        }
        for (const auto& [key, value] : given.items()) {
            if (!out.contains(key)) out[key] = value;
        }
        return out;
    }
    if (!given.is_array()) refuse(where, "extra_metadata must be an object or a list of [key, value]");
    for (const json& pair : given) {
        if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string())
            refuse(where, "extra_metadata: each entry of the list must be [key, value]");
        out[pair[0].get<std::string>()] = pair[1];
    }
    return out;
}

}  // namespace

CompatSequence compat_sequence_of(const json& entry, const std::string& where) {
    if (!entry.is_object()) refuse(where, "must be an object with a name and the generator's configuration");
    CompatSequence out;
    EntryReader read(entry, where);
    const json* name = read.take("name");
    if (name == nullptr || !name->is_string()) refuse(where, "needs a name, the sequence's folder");
    out.name = name->get<std::string>();
    if (!is_bundle_name(out.name))
        refuse(where, "name '" + out.name + "' must be a relative path of plain folder names, like a/b_0001");
    CompatConfig& c = out.config;
    constexpr double kAny = 1e9;
    read.whole("frames", c.frames, 1, kernels::kCompatFramesMax);
    read.whole("points_per_frame", c.points, 1, kernels::kCompatPointsMax);
    read.number("fps", c.fps, kernels::kCompatFpsMin, kernels::kCompatFpsMax, false);
    read.whole("width", c.width, 1, kernels::kCompatPictureMax);
    read.whole("height", c.height, 1, kernels::kCompatPictureMax);
    read.number("panel_length_px", c.length_px, 0, kAny, true);
    read.number("panel_thickness_um", c.thickness_um, 0, kAny, false);
    read.number("pixels_per_mm", c.pixels_per_mm, 0, kAny, true);
    read.number("meters_per_pixel", out.meters_per_pixel, 0, kAny, true);
    read.number("noise_std", c.noise_px, 0, kernels::kCompatPictureMax, false);
    if (const json* seed = read.take("seed")) {
        if (!seed->is_number_unsigned()) refuse(where, "seed must be an integer from 0 to 2^64 - 1");
        c.seed = seed->get<std::uint64_t>();
    }
    if (const json* scenario = read.take("scenario"))
        c.panel = panel_of(scenario->is_string() ? scenario->get<std::string>() : scenario->dump(), where);
    if (const json* mode = read.take("noise_mode"); mode != nullptr && !mode->is_null())
        c.noise_mode = noise_mode_of(mode->is_string() ? mode->get<std::string>() : mode->dump(), where);
    if (const json* extra = read.take("extra_metadata")) out.extra = extra_of(*extra, where).dump();
    read.refuse_others();
    if (static_cast<std::int64_t>(c.frames) * c.points > kCompatPointFramesMax)
        refuse(where, "frames x points_per_frame is above " + std::to_string(kCompatPointFramesMax));
    return out;
}

Sequence make_compat_sequence(const CompatSequence& made, std::int64_t id) {
    const CompatConfig& c = made.config;
    Sequence s;
    s.info.id = id;
    s.info.name = made.name;
    s.info.points = c.points;
    s.info.frames = c.frames;
    s.info.fps = c.fps;
    s.x.resize(static_cast<std::size_t>(c.points) * static_cast<std::size_t>(c.frames));
    s.y.resize(s.x.size());
    s.point_index.resize(static_cast<std::size_t>(c.points));
    std::iota(s.point_index.begin(), s.point_index.end(), 1);
    s.frame_number.resize(static_cast<std::size_t>(c.frames));
    std::iota(s.frame_number.begin(), s.frame_number.end(), 0);
    const kernels::FrameMetrics metrics = kernels::compat_tracks(c, {s.x.data(), s.y.data()});
    std::string metadata = compat_metadata_into(made, s.info);
    s.side_files = {{"fps.txt", python_repr(c.fps) + "\n"},
                    {"frame_metrics.csv", metrics_text(metrics, c.fps)},
                    {"metadata.json", std::move(metadata)}};
    return s;
}

}  // namespace nightshift::jobs
