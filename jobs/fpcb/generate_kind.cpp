#include <algorithm>
#include <atomic>
#include <exception>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>

#include <nlohmann/json.hpp>

#include "jobs/fpcb/dataset_recipe.h"
#include "jobs/fpcb/shard_writer.h"
#include "jobs/fpcb/text_bundle.h"
#include "jobs/kinds.h"
#include "jobs/runtime/durable_file.h"
#include "kernels/device.h"
#include "kernels/generator.h"

namespace nightshift::jobs {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kSubpixelUnits = 16;  ///< 1919 px x 16 still fits int16
constexpr std::uintmax_t kBytesPerSequence = 60'000, kBytesPerBundle = 270'000;
constexpr std::size_t kBundlesPerStep = 32;  ///< between two looks at a stop

struct Settings {
    ClassCounts counts;
    std::uint64_t seed;
    kernels::Difficulty difficulty;
    int units_per_pixel;
    bool is_bundles;
};

Settings read_settings(const json& params) {
    if (params.at("rng") != "philox") {
        throw JobError("unsupported_param",
                       "rng=compat (numpy's generator) is not in this build; use rng=philox");
    }
    Settings s;
    const bool has_counts = params.contains("counts") && !params.at("counts").empty();
    s.counts =
        has_counts ? counts_of(params.at("counts")) : preset_counts(params.at("preset").get<std::string>());
    s.seed = params.at("seed").get<std::uint64_t>();
    const auto difficulty = params.at("difficulty").get<std::string>();
    s.difficulty = difficulty == "easy"   ? kernels::Difficulty::kEasy
                   : difficulty == "hard" ? kernels::Difficulty::kHard
                                          : kernels::Difficulty::kStandard;
    s.units_per_pixel = params.at("resolution") == "subpixel" ? kSubpixelUnits : 1;
    s.is_bundles = params.at("format") == "bundles";
    if (s.is_bundles && s.units_per_pixel != 1) {
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

/// Sequences first..last of the plan, spread over threads. Which thread makes which changes nothing.
std::vector<Sequence> make_sequences(const std::vector<PlannedSequence>& planned, std::size_t first,
                                     std::size_t last, const Settings& settings, int threads, bool on_gpu) {
    std::vector<Sequence> out(last - first);
    std::vector<kernels::TrackPlan> plans(on_gpu ? out.size() : 0);
    std::atomic<std::size_t> next{0};
    std::exception_ptr failure;
    std::mutex failure_mutex;
    const auto work = [&] {
        try {
            for (std::size_t i = next++; i < out.size(); i = next++) {
                const PlannedSequence& one = planned[first + i];
                const auto recipe =
                    kernels::draw_recipe(one.panel, one.index, settings.seed, settings.difficulty);
                out[i] = empty_sequence(
                    info_of(one, recipe, static_cast<std::int64_t>(first + i), settings.units_per_pixel));
                kernels::TrackPlan plan = kernels::make_plan(recipe, settings.units_per_pixel);
                if (on_gpu)
                    plans[i] = std::move(plan);
                else
                    kernels::generate_tracks_cpu(plan, {out[i].x.data(), out[i].y.data()});
            }
        } catch (...) {
            const std::lock_guard lock(failure_mutex);
            if (!failure) failure = std::current_exception();
            next = out.size();
        }
    };
    std::vector<std::thread> pool;
    for (int t = 1; t < threads; ++t) pool.emplace_back(work);
    work();
    for (std::thread& thread : pool) thread.join();
    if (failure) std::rethrow_exception(failure);
    if (on_gpu) {
        std::vector<kernels::TrackPlanes> planes;
        for (Sequence& s : out) planes.push_back({s.x.data(), s.y.data()});
        kernels::generate_tracks_cuda(plans, planes);
    }
    return out;
}

void link_or_copy(const fs::path& from, const fs::path& to) {
    std::error_code error;
    fs::remove(to, error);
    fs::create_hard_link(from, to, error);  // shards are never changed, so a second name is as good as a copy
    if (error) fs::copy_file(from, to, fs::copy_options::overwrite_existing);
}

json manifest_of(const std::vector<PlannedSequence>& planned, const std::vector<SequenceInfo>& infos,
                 const json& params) {
    nlohmann::ordered_json manifest;
    manifest["version"] = "1.0";
    manifest["total_count"] = planned.size();
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

class GenerateJob final : public JobImpl {
  public:
    explicit GenerateJob(json params)
        : params_(std::move(params)),
          settings_(read_settings(params_)),
          planned_(plan_dataset(settings_.counts, settings_.seed)) {}

    void run(JobContext& context) override {
        const fs::path folder = context.output() / "dataset";
        fs::create_directories(folder);
        require_room(folder);
        on_gpu_ = context.device() == ComputeDevice::kCuda && kernels::cuda_available();
        if (settings_.is_bundles)
            write_bundles(context, folder);
        else
            write_shards(context, folder);
        std::vector<SequenceInfo> infos;
        for (std::size_t i = 0; i < planned_.size(); ++i) {
            const auto recipe = kernels::draw_recipe(planned_[i].panel, planned_[i].index, settings_.seed,
                                                     settings_.difficulty);
            infos.push_back(
                info_of(planned_[i], recipe, static_cast<std::int64_t>(i), settings_.units_per_pixel));
        }
        write_durably(context.output() / "manifest.json",
                      manifest_of(planned_, infos, params_).dump(1) + "\n");
        context.artifact("dataset/", "dataset");
        context.artifact("manifest.json", "file");
        context.log("generated " + std::to_string(planned_.size()) + " sequences");
    }

  private:
    void require_room(const fs::path& folder) const {
        std::error_code error;
        const auto space = fs::space(folder, error);
        const auto needed = planned_.size() * (settings_.is_bundles ? kBytesPerBundle : kBytesPerSequence);
        if (!error && space.available < needed) {
            throw JobError("disk_full", "the data set needs about " + std::to_string(needed >> 20) +
                                            " MiB, the disk of " + folder.string() + " has " +
                                            std::to_string(space.available >> 20) +
                                            " MiB; make room or ask for fewer sequences");
        }
    }

    void report(JobContext& context, std::size_t done) const {
        Progress progress;
        progress.phase = "generate";
        progress.step = static_cast<std::int64_t>(done);
        progress.steps = static_cast<std::int64_t>(planned_.size());
        context.progress(progress);
    }

    std::vector<Sequence> make(JobContext& context, std::size_t first, std::size_t last) const {
        return make_sequences(planned_, first, last, settings_, std::max(1, context.threads()), on_gpu_);
    }

    void write_shards(JobContext& context, const fs::path& folder) {
        std::vector<ShardEntry> shards = resumed(context, folder);
        while (shards.size() * kSequencesPerShard < planned_.size()) {
            const std::size_t first = shards.size() * kSequencesPerShard;
            const std::size_t last = std::min(first + kSequencesPerShard, planned_.size());
            shards.push_back(write_shard(folder, shards.size(), make(context, first, last)));
            report(context, last);
            if (last < planned_.size()) {
                context.check(static_cast<std::int64_t>(last),
                              [&](const fs::path& into) { save(shards, folder, into); });
            }
        }
        write_dataset_index(folder, shards, {{"kind", "generate"}, {"params", params_}});
    }

    void write_bundles(JobContext& context, const fs::path& folder) {
        for (std::size_t first = 0; first < planned_.size(); first += kBundlesPerStep) {
            const std::size_t last = std::min(first + kBundlesPerStep, planned_.size());
            for (const Sequence& s : make(context, first, last)) write_bundle(folder / s.info.name, s);
            report(context, last);
            context.check(static_cast<std::int64_t>(last), {});
        }
    }

    void save(const std::vector<ShardEntry>& shards, const fs::path& folder, const fs::path& into) const {
        json list = json::array();
        for (const ShardEntry& shard : shards) {
            link_or_copy(folder / shard.file, into / shard.file);
            list.push_back({{"file", shard.file},
                            {"bytes", shard.bytes},
                            {"sha256", shard.sha256},
                            {"sequences", shard.sequences}});
        }
        write_durably(into / "shards.json", json{{"params", params_}, {"shards", list}}.dump());
    }

    /// Shards of an earlier attempt, put in place; none when it had other parameters.
    std::vector<ShardEntry> resumed(JobContext& context, const fs::path& folder) const {
        std::vector<ShardEntry> shards;
        const auto from = context.resume_from();
        if (!from) return shards;
        const json state = json::parse(read_text(*from / "shards.json", std::size_t{64} << 20));
        if (state.at("params") != params_) return shards;
        for (const json& row : state.at("shards")) {
            shards.push_back({row.at("file"), row.at("bytes"), row.at("sha256"), row.at("sequences")});
            link_or_copy(*from / shards.back().file, folder / shards.back().file);
        }
        context.log("resumed with " + std::to_string(shards.size()) + " finished shards");
        return shards;
    }

    json params_;
    Settings settings_;
    std::vector<PlannedSequence> planned_;
    bool on_gpu_ = false;
};

nlohmann::ordered_json schema() {
    const auto choice = [](std::vector<std::string> words, const char* first, const char* en,
                           const char* ko) {
        return nlohmann::ordered_json{
            {"type", "string"}, {"enum", words}, {"default", first}, {"description", en}, {"x-ko", ko}};
    };
    nlohmann::ordered_json properties;
    properties["preset"] =
        choice({"small", "default", "10k", "100k"}, "small", "How many sequences: 125, 1180, 9500 or 100000",
               "시퀀스 수: 125, 1180, 9500, 100000");
    properties["counts"] = {{"type", "object"},
                            {"default", nlohmann::ordered_json::object()},
                            {"description", "Sequences of each class; wins over preset"},
                            {"x-ko", "클래스별 시퀀스 수 (preset보다 우선)"}};
    properties["seed"] = {{"type", "integer"},
                          {"minimum", 0},
                          {"default", 20260219},
                          {"description", "Same seed, same bytes, whatever the machine"},
                          {"x-ko", "난수 시드"}};
    properties["rng"] = choice({"philox", "compat"}, "philox", "Random numbers: philox", "난수 생성기");
    properties["format"] = choice({"shards", "bundles"}, "shards",
                                  "Shards, or a folder of text files per sequence", "샤드 또는 텍스트 묶음");
    properties["resolution"] =
        choice({"pixel", "subpixel"}, "pixel", "Whole pixels, or sixteenths", "픽셀 또는 1/16 픽셀");
    properties["difficulty"] = choice({"easy", "standard", "hard"}, "standard",
                                      "easy: the reference's constants; standard, hard: nuisances are drawn",
                                      "난이도: easy는 고정 상수, standard·hard는 방해 요인 추가");
    return {{"type", "object"}, {"properties", properties}};
}

}  // namespace

Kind generate_kind() {
    Kind kind;
    kind.name = "generate";
    kind.job_class = JobClass::kSynthesis;
    kind.summary_en = "Generates a data set of bending panels";
    kind.summary_ko = "굽힘 패널 데이터셋을 생성합니다";
    kind.ram = mebibytes(256);
    kind.schema = schema;
    kind.artifacts = {"dataset/", "manifest.json"};
    kind.make = [](const json& params) { return std::make_unique<GenerateJob>(params); };
    return kind;
}

}  // namespace nightshift::jobs
