#include "jobs/fpcb/compat_recipe.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

#include <nlohmann/json.hpp>

#include "jobs/fpcb/compat_words.h"
#include "jobs/fpcb/python_text.h"
#include "kernels/pcg64.h"

namespace nightshift::jobs {

namespace {

using kernels::NoiseMode;
using kernels::PanelClass;
using nlohmann::ordered_json;

struct Span {
    double low, high;
};

/// One of the reference's six groups: a folder and stem, seeds first + step * number, what is drawn.
struct Group {
    std::string_view folder, stem;
    std::uint64_t seed_first, seed_step;
    int points_low, points_high;
    Span noise, length;
    bool has_event, draws_scale;
};

constexpr Span kPixelsPerMmSpan{8, 12}, kEventShare{.65, .80};
constexpr double kPixelsPerMm = 10;
constexpr std::array<Group, 6> kGroups{{
    {"normal", "normal", 100'000, 1, 200, 260, {.12, .38}, {210, 250}, false, true},
    {"normal", "normal_ld", 150'000, 1, 200, 260, {.12, .38}, {210, 250}, false, true},
    {"crack_in_bending", "crack", 200'000, 137, 210, 250, {.15, .35}, {215, 245}, true, false},
    {"crack_in_bending", "micro", 250'000, 211, 210, 250, {.18, .38}, {215, 245}, true, false},
    {"pre_damaged", "predam", 300'000, 97, 210, 250, {.18, .35}, {215, 245}, false, false},
    {"thick_panel", "thick", 400'000, 73, 210, 250, {.12, .30}, {220, 248}, false, false},
}};

/// By seed modulo five.
constexpr std::array<NoiseMode, 5> kModes{NoiseMode::kGaussian, NoiseMode::kOutlier, NoiseMode::kDrift,
                                          NoiseMode::kScaleJitter, NoiseMode::kMixed};

std::size_t count_of(const ClassCounts& counts, PanelClass panel) {
    return static_cast<std::size_t>(counts[static_cast<std::size_t>(panel)]);
}

/// The classes of each group in order: crack and uv_overcured are numbered through.
std::vector<PanelClass> panels_of(const ClassCounts& counts, std::size_t group) {
    constexpr std::array<PanelClass, 6> kFirst{PanelClass::kNormal,    PanelClass::kLightDistortion,
                                               PanelClass::kCrack,     PanelClass::kMicroCrack,
                                               PanelClass::kPreDamage, PanelClass::kThickPanel};
    std::vector<PanelClass> out(count_of(counts, kFirst[group]), kFirst[group]);
    if (kFirst[group] == PanelClass::kCrack)
        out.insert(out.end(), count_of(counts, PanelClass::kUvOvercured), PanelClass::kUvOvercured);
    return out;
}

/// Python's int(n * share): the product is rounded before it is cut.
std::vector<Split> splits_of(std::size_t count, kernels::Pcg64& random) {
    const auto part = [&](double share) {
        return static_cast<std::ptrdiff_t>(static_cast<double>(count) * share);
    };
    std::vector<Split> splits(count, Split::kTest);
    std::fill_n(splits.begin(), part(.70), Split::kTrain);
    std::fill_n(splits.begin() + part(.70), part(.15), Split::kVal);
    random.shuffle_list(splits);
    return splits;
}

CompatSequence draw_sequence(const Group& group, PanelClass panel, std::size_t number, Split split,
                             kernels::Pcg64& random) {
    char digits[24];
    std::snprintf(digits, sizeof digits, "_%04zu", number);
    const std::string id = std::string(group.stem) + digits;
    CompatSequence out;
    out.name = std::string(group.folder) + "/" + id;
    kernels::CompatConfig& c = out.config;
    c.panel = panel;
    c.frames = kCompatFrames;
    c.seed = group.seed_first + group.seed_step * number;
    c.noise_mode = kModes[c.seed % kModes.size()];
    int event = -1;
    if (group.has_event)
        event = static_cast<int>((kCompatFrames - 1) * random.uniform(kEventShare.low, kEventShare.high));
    c.points =
        group.points_low +
        static_cast<int>(random.bounded(static_cast<std::uint32_t>(group.points_high - group.points_low)));
    c.noise_px = random.uniform(group.noise.low, group.noise.high);
    c.length_px = random.uniform(group.length.low, group.length.high);
    c.pixels_per_mm =
        group.draws_scale ? random.uniform(kPixelsPerMmSpan.low, kPixelsPerMmSpan.high) : kPixelsPerMm;
    const ordered_json extra{{"goal", goal_of(panel)},
                             {"scenario", kernels::name_of(panel)},
                             {"label", kernels::is_damaged(panel) ? 1 : 0},
                             {"crack_frame", event},
                             {"split", name_of(split)},
                             {"dataset_id", id},
                             {"noise_mode", compat_word(c.noise_mode)}};
    out.extra = extra.dump();
    return out;
}

ordered_json entry_of(const CompatSequence& s) {
    const ordered_json extra = ordered_json::parse(s.extra);
    ordered_json entry{{"path", s.name}};
    for (const char* key : {"goal", "label", "split"}) {
        if (extra.contains(key)) entry[key] = extra.at(key);
    }
    if (extra.contains("crack_frame") && entry.contains("goal") && entry.at("goal") == "goal1")
        entry["crack_frame"] = extra.at("crack_frame");
    const PanelClass panel = s.config.panel;
    if (panel == PanelClass::kLightDistortion || panel == PanelClass::kMicroCrack)
        entry["scenario"] = kernels::name_of(panel);
    return entry;
}

}  // namespace

std::vector<CompatSequence> compat_dataset(const ClassCounts& counts, std::uint64_t seed) {
    kernels::Pcg64 random(seed);
    std::array<std::vector<PanelClass>, kGroups.size()> panels;
    std::array<std::vector<Split>, kGroups.size()> splits;
    for (std::size_t g = 0; g < kGroups.size(); ++g) {
        panels[g] = panels_of(counts, g);
        splits[g] = splits_of(panels[g].size(), random);
    }
    std::vector<CompatSequence> out;
    for (std::size_t g = 0; g < kGroups.size(); ++g) {
        for (std::size_t i = 0; i < panels[g].size(); ++i)
            out.push_back(draw_sequence(kGroups[g], panels[g][i], i + 1, splits[g][i], random));
    }
    return out;
}

std::string compat_manifest(const std::vector<CompatSequence>& sequences, const std::string& created_at) {
    ClassCounts counts{};
    ordered_json splits{{"train", 0}, {"val", 0}, {"test", 0}}, entries = ordered_json::array();
    for (const CompatSequence& s : sequences) {
        ++counts[static_cast<std::size_t>(s.config.panel)];
        entries.push_back(entry_of(s));
        const ordered_json split = entries.back().value("split", ordered_json());
        if (split.is_string() && splits.contains(split.get<std::string>()))
            splits[split.get<std::string>()] = splits[split.get<std::string>()].get<int>() + 1;
    }
    ordered_json root;
    root["version"] = "1.0";
    root["created_at"] = created_at;
    root["total_count"] = sequences.size();
    root["normal"] = count_of(counts, PanelClass::kNormal);
    root["normal_light_distortion"] = count_of(counts, PanelClass::kLightDistortion);
    root["crack_in_bending"] =
        count_of(counts, PanelClass::kCrack) + count_of(counts, PanelClass::kUvOvercured);
    root["micro_crack"] = count_of(counts, PanelClass::kMicroCrack);
    root["pre_damaged_panel"] = count_of(counts, PanelClass::kPreDamage);
    root["thick_panel"] = count_of(counts, PanelClass::kThickPanel);
    root["splits"] = splits;
    root["entries"] = std::move(entries);
    return python_json(root);
}

}  // namespace nightshift::jobs
