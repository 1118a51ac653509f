#include <map>

#include <nlohmann/json.hpp>

#include "jobs/fpcb/dataset_recipe.h"
#include "jobs/fpcb/sequence_source.h"
#include "jobs/runtime/job_impl.h"
#include "jobs/runtime/spread.h"
#include "kernels/generator.h"

namespace nightshift::jobs {

namespace {

using nlohmann::json;

constexpr int kSubpixelUnits = 16;  ///< 1919 px x 16 still fits int16

struct Settings {
    ClassCounts counts;
    std::uint64_t seed;
    kernels::Difficulty difficulty;
    int units_per_pixel;
};

Settings read_settings(const json& params) {
    if (!params.at("sequences").empty()) {
        throw JobError("bad_param",
                       "sequences lists the reference generator's own configurations; it needs rng=compat");
    }
    Settings s;
    const bool has_counts = !params.at("counts").empty();
    s.counts =
        has_counts ? counts_of(params.at("counts")) : preset_counts(params.at("preset").get<std::string>());
    s.seed = params.at("seed").get<std::uint64_t>();
    const auto difficulty = params.at("difficulty").get<std::string>();
    s.difficulty = difficulty == "easy"   ? kernels::Difficulty::kEasy
                   : difficulty == "hard" ? kernels::Difficulty::kHard
                                          : kernels::Difficulty::kStandard;
    s.units_per_pixel = params.at("resolution") == "subpixel" ? kSubpixelUnits : 1;
    if (params.at("format") == "bundles" && s.units_per_pixel != 1) {
        throw JobError("bad_param",
                       "format=bundles holds whole pixels; use resolution=pixel or format=shards");
    }
    return s;
}

Sequence empty_sequence(const SequenceInfo& info) {
    Sequence s;
    s.info = info;
    s.x.resize(static_cast<std::size_t>(info.points) * static_cast<std::size_t>(info.frames));
    s.y.resize(s.x.size());
    for (int p = 1; p <= info.points; ++p) s.point_index.push_back(p);
    for (int f = 0; f < info.frames; ++f) s.frame_number.push_back(f);
    return s;
}

nlohmann::ordered_json manifest_of(const std::vector<SequenceInfo>& infos, const json& params) {
    nlohmann::ordered_json manifest;
    manifest["version"] = "1.0";
    manifest["total_count"] = infos.size();
    std::map<std::string, int> classes, splits;
    nlohmann::ordered_json entries = nlohmann::ordered_json::array();
    for (const SequenceInfo& info : infos) {
        ++classes[info.scenario];
        ++splits[std::string(name_of(info.split))];
        nlohmann::ordered_json entry{{"path", info.name},
                                     {"goal", info.goal},
                                     {"label", info.label},
                                     {"split", name_of(info.split)},
                                     {"scenario", info.scenario}};
        if (info.event_frame >= 0) entry["event_frame"] = info.event_frame;
        entries.push_back(std::move(entry));
    }
    manifest["classes"] = classes;
    manifest["splits"] = splits;
    manifest["parameters"] = params;
    manifest["entries"] = std::move(entries);
    return manifest;
}

class PhiloxSource final : public SequenceSource {
  public:
    explicit PhiloxSource(const json& params)
        : params_(params),
          settings_(read_settings(params_)),
          planned_(plan_dataset(settings_.counts, settings_.seed)) {}

    std::size_t size() const override { return planned_.size(); }

    std::vector<Sequence> make(std::size_t first, std::size_t last, int threads,
                               kernels::Backend* gpu) const override {
        std::vector<Sequence> out(last - first);
        std::vector<kernels::TrackPlan> plans(gpu != nullptr ? out.size() : 0);
        spread(out.size(), threads, [&](std::size_t i) {
            const kernels::PanelRecipe recipe = recipe_of(first + i);
            out[i] = empty_sequence(info(first + i, recipe));
            kernels::TrackPlan plan = kernels::make_plan(recipe, settings_.units_per_pixel);
            if (gpu != nullptr)
                plans[i] = std::move(plan);
            else
                kernels::generate_tracks_cpu(plan, {out[i].x.data(), out[i].y.data()});
        });
        if (gpu != nullptr) {
            std::vector<kernels::TrackPlanes> planes;
            for (Sequence& s : out) planes.push_back({s.x.data(), s.y.data()});
            kernels::generate_tracks_cuda(*gpu, plans, planes);
        }
        return out;
    }

    std::string manifest() const override {
        std::vector<SequenceInfo> infos;
        for (std::size_t i = 0; i < planned_.size(); ++i) infos.push_back(info(i, recipe_of(i)));
        return manifest_of(infos, params_).dump(1) + "\n";
    }

  private:
    kernels::PanelRecipe recipe_of(std::size_t i) const {
        return kernels::draw_recipe(planned_[i].panel, planned_[i].index, settings_.seed,
                                    settings_.difficulty);
    }
    SequenceInfo info(std::size_t i, const kernels::PanelRecipe& recipe) const {
        return info_of(planned_[i], recipe, static_cast<std::int64_t>(i), settings_.units_per_pixel);
    }

    json params_;
    Settings settings_;
    std::vector<PlannedSequence> planned_;
};

}  // namespace

std::unique_ptr<SequenceSource> make_philox_source(const json& params) {
    return std::make_unique<PhiloxSource>(params);
}

}  // namespace nightshift::jobs
