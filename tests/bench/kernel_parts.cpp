// Times kernels on one thread, in memory, and leaves what they computed for a peer to compare with.
// usage: nightshift_kernel_parts RUNS OUT generate|native|compat COUNT     sequences
//        nightshift_kernel_parts RUNS OUT roc|precision SCORES LABELS       an area of all scores
//        nightshift_kernel_parts RUNS OUT resamples SCORES LABELS COUNT KEY  areas of resamples
// Prints a line `wall_s cpu_s` a run after one to warm up. Files: scores float64, labels int32.
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "kernels/compat_generator.h"
#include "kernels/generator.h"
#include "kernels/metrics.h"
#include "kernels/panel_features.h"
#include "tests/bench/part_timer.h"

namespace {

using namespace nightshift;
using namespace nightshift::bench;
using kernels::PanelClass;
namespace fs = std::filesystem;

constexpr std::uint64_t kSeed = 20261128;
constexpr int kUnitsPerPixel = 16;
/// Sequences that features are made of: more would only fill memory, so they come again.
constexpr int kKept = 350;

struct Tracks {
    std::vector<std::int16_t> x, y;
    int points = 0, frames = 0;
    double fps = 30;

    kernels::TrackPlanes planes(int points_now, int frames_now) {
        points = points_now;
        frames = frames_now;
        x.resize(static_cast<std::size_t>(points * frames));
        y.resize(x.size());
        return {x.data(), y.data()};
    }
};

kernels::PanelRecipe recipe_of(int index) {
    return kernels::draw_recipe(static_cast<PanelClass>(index % kernels::kPanelClasses),
                                static_cast<std::uint32_t>(index), kSeed, kernels::Difficulty::kStandard);
}

void draw(int index, Tracks& tracks) {
    const kernels::PanelRecipe recipe = recipe_of(index);
    const kernels::TrackPlan plan = kernels::make_plan(recipe, kUnitsPerPixel);
    tracks.fps = recipe.fps;
    kernels::generate_tracks_cpu(plan, tracks.planes(recipe.points, recipe.frames));
}

/// Recipe, plan and tracks of each; the tracks of one take the place of those before.
void generate(int runs, const fs::path& out, int count) {
    Tracks tracks;
    draw(0, tracks);
    write_numbers(out, tracks.x);
    measure(runs, [&] {
        for (int i = 0; i < count; ++i) draw(i, tracks);
    });
}

kernels::TrackView view_of(const Tracks& tracks, double units_per_pixel) {
    kernels::TrackView view;
    view.points = tracks.points;
    view.frames = tracks.frames;
    view.x = tracks.x;
    view.y = tracks.y;
    view.units_per_pixel = units_per_pixel;
    view.fps = tracks.fps;
    return view;
}

void native(int runs, const fs::path& out, int count) {
    std::vector<Tracks> kept(static_cast<std::size_t>(std::min(count, kKept)));
    for (std::size_t i = 0; i < kept.size(); ++i) draw(static_cast<int>(i), kept[i]);
    const auto features = [&](std::size_t i) {
        return kernels::panel_features(view_of(kept[i % kept.size()], kUnitsPerPixel));
    };
    write_numbers(out, features(0));
    measure(runs, [&] {
        for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) features(i);
    });
}

void compat(int runs, const fs::path& out, int count) {
    std::vector<Tracks> kept(static_cast<std::size_t>(std::min(count, kKept)));
    std::vector<kernels::FrameMetrics> metrics;
    for (std::size_t i = 0; i < kept.size(); ++i) {
        kernels::CompatConfig config;
        config.panel = static_cast<PanelClass>(i % kernels::kPanelClasses);
        config.frames = 60;
        config.seed = kSeed + i;
        metrics.push_back(kernels::compat_tracks(config, kept[i].planes(config.points, config.frames)));
    }
    const auto features = [&](std::size_t i) {
        return kernels::compat_features(view_of(kept[i % kept.size()], 1), metrics[i % kept.size()]);
    };
    write_numbers(out, features(0).rows);
    measure(runs, [&] {
        for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) features(i);
    });
}

void area(int runs, const fs::path& out, const std::vector<std::string>& given, bool is_roc) {
    const std::vector<double> scores = read_numbers<double>(given.at(0));
    const std::vector<int> labels = read_numbers<std::int32_t>(given.at(1));
    const auto found = [&] {
        const kernels::ScoreSteps steps = kernels::score_steps(labels, scores);
        return is_roc ? kernels::roc_auc(steps) : kernels::average_precision(steps);
    };
    write_numbers(out, std::vector<double>{found()});
    measure(runs, [&] { found(); });
}

/// Ranking included, as a report needs it.
void resamples(int runs, const fs::path& out, const std::vector<std::string>& given) {
    const std::vector<double> scores = read_numbers<double>(given.at(0));
    const std::vector<int> labels = read_numbers<std::int32_t>(given.at(1));
    std::vector<double> areas(std::stoul(given.at(2)));
    const kernels::ResampleStream stream{std::stoull(given.at(3)), 0};
    const auto draw_all = [&] {
        const kernels::ScoreSteps steps = kernels::score_steps(labels, scores);
        const std::vector<std::uint32_t> places = kernels::steps_of(steps, scores);
        kernels::ClassPlaces classes;
        for (std::size_t i = 0; i < places.size(); ++i)
            (labels[i] == 1 ? classes.positives : classes.negatives).push_back(places[i]);
        kernels::resampled_areas({&classes, 1}, stream, 0, areas);
    };
    draw_all();
    write_numbers(out, areas);
    measure(runs, draw_all);
}

}  // namespace

int main(int count, char** words) {
    const auto work = [](int runs, const fs::path& out, const std::string& name,
                         const std::vector<std::string>& rest) {
        if (name == "roc" || name == "precision")
            area(runs, out, rest, name == "roc");
        else if (name == "resamples")
            resamples(runs, out, rest);
        else if (name == "generate")
            generate(runs, out, std::stoi(rest.at(0)));
        else if (name == "native")
            native(runs, out, std::stoi(rest.at(0)));
        else if (name == "compat")
            compat(runs, out, std::stoi(rest.at(0)));
        else
            throw std::invalid_argument("no name '" + name + "'; the head of this file lists them");
    };
    return bench::run_work("nightshift_kernel_parts", count, words, work);
}
