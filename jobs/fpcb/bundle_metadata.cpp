#include "jobs/fpcb/bundle_metadata.h"

#include <cmath>
#include <optional>

#include <nlohmann/json.hpp>

namespace nightshift::jobs {

namespace {

using nlohmann::json;

template <typename Json>
std::optional<double> number(const Json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number()) return std::nullopt;
    return found->template get<double>();
}

template <typename Json>
std::string text_of(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->template get<std::string>() : std::string();
}

/// The frame the reference's generator really uses: floor(centre * (frames - 1)) where it has a gain. Its
/// own metadata field crack_frame is a random number that the tracks know nothing of.
template <typename Json>
int reference_event(const Json& root, int frames) {
    const auto params = root.find("scenario_params");
    if (params == root.end() || !params->is_object()) return -1;
    const auto gain = number(*params, "crack_gain"), centre = number(*params, "crack_center_ratio");
    if (!gain || !centre || !(*gain > 0) || !(*centre >= 0 && *centre <= 1)) return -1;
    return static_cast<int>(std::floor(*centre * (frames - 1)));
}

template <typename Json>
void fill_from(const Json& root, SequenceInfo& info) {
    if (!root.is_object()) return;
    const Json none = Json::object();
    const auto found = root.find("config");
    const Json& config = found != root.end() && found->is_object() ? *found : none;
    auto scale = number(root, "meters_per_pixel");
    if (!scale) scale = number(config, "meters_per_pixel");
    if (scale && std::isfinite(*scale) && *scale > 0) info.meters_per_pixel = *scale;
    info.scenario = text_of(root, "scenario");
    if (info.scenario.empty()) info.scenario = text_of(config, "scenario");
    info.goal = text_of(root, "goal");
    info.split = split_of(text_of(root, "split"));
    if (const auto label = number(root, "label")) info.label = *label != 0 ? 1 : 0;
    if (const auto seed = config.find("seed"); seed != config.end() && seed->is_number_unsigned()) {
        info.seed = seed->template get<std::uint64_t>();
    }
    if (const auto noise = number(config, "noise_std")) info.noise = *noise;
    const auto event = root.find("event_frame");
    if (event != root.end() && event->is_number_integer()) {
        info.event_frame = event->template get<int>();
    } else {
        info.event_frame = reference_event(root, info.frames);
    }
}

}  // namespace

void apply_metadata(std::string_view text, SequenceInfo& info) {
    fill_from(json::parse(text, nullptr, false), info);
}

void apply_metadata_members(const nlohmann::ordered_json& root, SequenceInfo& info) {
    fill_from(root, info);
}

std::string metadata_text(const SequenceInfo& info) {
    using ordered = nlohmann::ordered_json;
    ordered root;
    root["config"] = ordered{{"frames", info.frames},    {"points_per_frame", info.points},
                             {"fps", info.fps},          {"width", 1920},
                             {"height", 1080},           {"meters_per_pixel", info.meters_per_pixel},
                             {"noise_std", info.noise},  {"seed", info.seed},
                             {"scenario", info.scenario}};
    root["meters_per_pixel"] = info.meters_per_pixel;
    root["bend_duration_s"] = (info.frames - 1) / info.fps;
    root["total_frames"] = info.frames;
    root["fps"] = info.fps;
    root["goal"] = info.goal;
    root["scenario"] = info.scenario;
    root["label"] = info.label;
    root["event_frame"] = info.event_frame;
    root["split"] = name_of(info.split);
    return root.dump(2, ' ', true);
}

}  // namespace nightshift::jobs
