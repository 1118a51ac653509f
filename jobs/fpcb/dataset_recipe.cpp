#include "jobs/fpcb/dataset_recipe.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <numeric>

#include <nlohmann/json.hpp>

#include "jobs/runtime/job_impl.h"
#include "jobs/table/nearest_word.h"
#include "kernels/draws.h"

namespace nightshift::jobs {

namespace {

using kernels::PanelClass;

constexpr std::uint32_t kDrawSplit = 16;  ///< Philox draw kind of the shuffles; below 16 are the generator's

/// Folder and file series of a class, and the group in which its split is drawn.
struct Series {
    PanelClass panel;
    std::string_view stem;
    int group;
};

// In the order in which the reference lists them; classes of one series are numbered through.
constexpr std::array<Series, kernels::kPanelClasses> kSeries{{
    {PanelClass::kNormal, "normal/normal", 0},
    {PanelClass::kLightDistortion, "normal/normal_ld", 1},
    {PanelClass::kCrack, "crack_in_bending/crack", 2},
    {PanelClass::kUvOvercured, "crack_in_bending/crack", 2},
    {PanelClass::kMicroCrack, "crack_in_bending/micro", 3},
    {PanelClass::kPreDamage, "pre_damaged/predam", 4},
    {PanelClass::kThickPanel, "thick_panel/thick", 5},
}};
constexpr int kGroups = 6;

std::vector<Split> shuffled_splits(std::size_t count, std::uint64_t seed, int group) {
    const std::size_t train = count * 70 / 100, val = count * 15 / 100;
    std::vector<Split> splits(count, Split::kTest);
    std::fill_n(splits.begin(), train, Split::kTrain);
    std::fill_n(splits.begin() + static_cast<std::ptrdiff_t>(train), val, Split::kVal);
    kernels::Draws draws(seed, static_cast<std::uint32_t>(group), kDrawSplit);
    for (std::size_t i = count; i > 1; --i)
        std::swap(splits[i - 1], splits[draws.below(static_cast<std::uint32_t>(i))]);
    return splits;
}

}  // namespace

ClassCounts preset_counts(std::string_view preset) {
    if (preset == "small") return {100, 3, 7, 3, 2, 5, 5};
    if (preset == "default") return {1000, 50, 50, 30, 10, 20, 20};
    if (preset == "10k") return {7000, 500, 500, 300, 300, 500, 400};
    if (preset == "100k") return {75'000, 5000, 5000, 3000, 3000, 5000, 4000};
    throw JobError("bad_param", "preset '" + std::string(preset) + "' is not small, default, 10k or 100k");
}

ClassCounts counts_of(const nlohmann::json& counts) {
    if (!counts.is_object())
        throw JobError("bad_param", "counts must be an object like {\"normal\": 100, \"crack\": 10}");
    std::vector<std::string> names;
    for (int c = 0; c < kernels::kPanelClasses; ++c)
        names.emplace_back(kernels::name_of(static_cast<PanelClass>(c)));
    ClassCounts out{};
    for (const auto& [name, value] : counts.items()) {
        const auto place = std::find(names.begin(), names.end(), name);
        if (place == names.end()) {
            std::string known;
            for (const std::string& one : names) known += (known.empty() ? "" : ", ") + one;
            throw JobError("bad_param", "counts: no class '" + name + "' (there are " + known + ")." +
                                            did_you_mean(name, names));
        }
        const bool is_count = value.is_number_integer() && value.get<double>() >= 0 &&
                              value.get<double>() <= static_cast<double>(kGeneratedSequencesMax);
        if (!is_count)
            throw JobError("bad_param", "counts." + name + " must be an integer from 0 to 10000000");
        out[static_cast<std::size_t>(place - names.begin())] = value.get<std::int64_t>();
    }
    const std::int64_t total = std::accumulate(out.begin(), out.end(), std::int64_t{0});
    if (total < 1 || total > kGeneratedSequencesMax) {
        throw JobError("bad_param", "counts add up to " + std::to_string(total) +
                                        " sequences; 1 to 10000000 are possible");
    }
    return out;
}

std::vector<PlannedSequence> plan_dataset(const ClassCounts& counts, std::uint64_t seed) {
    std::array<std::size_t, kGroups> sizes{}, next{};
    for (const Series& series : kSeries) {
        sizes[static_cast<std::size_t>(series.group)] +=
            static_cast<std::size_t>(counts[static_cast<std::size_t>(series.panel)]);
    }
    std::array<std::vector<Split>, kGroups> splits;
    for (int group = 0; group < kGroups; ++group) {
        const auto g = static_cast<std::size_t>(group);
        splits[g] = shuffled_splits(sizes[g], seed, group);
    }
    std::vector<PlannedSequence> planned;
    for (const Series& series : kSeries) {
        const auto g = static_cast<std::size_t>(series.group);
        for (std::int64_t i = 0; i < counts[static_cast<std::size_t>(series.panel)]; ++i) {
            char number[24];
            std::snprintf(number, sizeof number, "_%04zu", next[g] + 1);
            planned.push_back({series.panel, static_cast<std::uint32_t>(i), std::string(series.stem) + number,
                               splits[g][next[g]]});
            ++next[g];
        }
    }
    return planned;
}

std::string_view goal_of(PanelClass panel) {
    switch (panel) {
        case PanelClass::kNormal:
        case PanelClass::kLightDistortion:
            return "normal";
        case PanelClass::kCrack:
        case PanelClass::kUvOvercured:
        case PanelClass::kMicroCrack:
            return "goal1";
        case PanelClass::kPreDamage:
            return "goal2";
        case PanelClass::kThickPanel:
            return "variant";
    }
    return "";
}

SequenceInfo info_of(const PlannedSequence& planned, const kernels::PanelRecipe& recipe, std::int64_t id,
                     int units_per_pixel) {
    SequenceInfo info;
    info.id = id;
    info.name = planned.name;
    info.scenario = kernels::name_of(planned.panel);
    info.goal = goal_of(planned.panel);
    info.label = kernels::is_damaged(planned.panel) ? 1 : 0;
    info.split = planned.split;
    info.points = recipe.points;
    info.frames = recipe.frames;
    info.fps = recipe.fps;
    info.meters_per_pixel = 1e-3 / recipe.pixels_per_mm;
    info.seed = recipe.stream;
    info.noise = recipe.noise_px;
    info.event_frame = recipe.event_frame;
    info.units_per_pixel = units_per_pixel;
    return info;
}

}  // namespace nightshift::jobs
