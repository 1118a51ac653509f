#include <algorithm>
#include <iterator>
#include <system_error>

#include <nlohmann/json.hpp>

#include "jobs/fpcb/sequence_source.h"
#include "jobs/fpcb/shard_writer.h"
#include "jobs/fpcb/text_bundle.h"
#include "jobs/kinds.h"
#include "jobs/runtime/compute_backend.h"
#include "jobs/runtime/durable_file.h"
#include "jobs/runtime/phase.h"
#include "jobs/runtime/spread.h"

namespace nightshift::jobs {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kListedMax = 100'000;  ///< entries of `sequences`
constexpr std::uintmax_t kBytesPerSequence = 60'000, kBytesPerBundle = 270'000;
constexpr std::size_t kBundlesPerStep = 32;            ///< between two looks at a stop
constexpr std::size_t kSequencesPerPart = 32;          ///< the same within a shard
constexpr std::size_t kGpuBytesPerSequence = 200'000;  ///< 260 points, 60 frames, and room to spare

void link_or_copy(const fs::path& from, const fs::path& to) {
    std::error_code error;
    fs::remove(to, error);
    fs::create_hard_link(from, to, error);  // shards are never changed, so a second name is as good as a copy
    if (error) fs::copy_file(from, to, fs::copy_options::overwrite_existing);
}

class GenerateJob final : public JobImpl {
  public:
    explicit GenerateJob(json params)
        : params_(std::move(params)),
          is_bundles_(params_.at("format") == "bundles"),
          source_(params_.at("rng") == "compat" ? make_compat_source(params_) : make_philox_source(params_)) {
    }

    void run(JobContext& context) override {
        const fs::path folder = context.output() / "dataset";
        fs::create_directories(folder);
        require_room(folder);
        gpu_ = gpu_backend(context);
        if (is_bundles_)
            write_bundles(context, folder);
        else
            write_shards(context, folder);
        write_durably(context.output() / "manifest.json", source_->manifest());
        context.artifact("dataset/", "dataset");
        context.artifact("manifest.json", "file");
        if (gpu_) report_memory(context, *gpu_);
        context.log("generated " + std::to_string(source_->size()) + " sequences");
    }

  private:
    void require_room(const fs::path& folder) const {
        std::error_code error;
        const auto space = fs::space(folder, error);
        const auto needed = source_->size() * (is_bundles_ ? kBytesPerBundle : kBytesPerSequence);
        if (!error && space.available < needed) {
            throw JobError("disk_full", "the data set needs about " + std::to_string(needed >> 20) +
                                            " MiB, the disk of " + folder.string() + " has " +
                                            std::to_string(space.available >> 20) +
                                            " MiB; make room or ask for fewer sequences");
        }
    }

    void report(JobContext& context, std::size_t done) const {
        context.progress(step_of("generate", done, source_->size()));
    }

    /// A GPU draws as many at once as its budget holds; where that is not even one, its kernel refuses.
    std::size_t sequences_at_once() const {
        if (!gpu_) return kSequencesPerPart;
        const kernels::BackendMemory memory = gpu_->memory();
        return std::clamp<std::size_t>((memory.budget_bytes - memory.held_bytes) / kGpuBytesPerSequence, 1,
                                       kSequencesPerShard);
    }

    std::vector<Sequence> make(JobContext& context, std::size_t first, std::size_t last) const {
        const std::size_t part = sequences_at_once();
        std::vector<Sequence> out;
        out.reserve(last - first);
        for (std::size_t from = first; from < last; from += part) {
            // Ends the job on a cancel; a yield waits for the end of the shard.
            if (context.stop_requested()) context.check(static_cast<std::int64_t>(from), {});
            auto made =
                source_->make(from, std::min(from + part, last), std::max(1, context.threads()), gpu_.get());
            std::move(made.begin(), made.end(), std::back_inserter(out));
        }
        return out;
    }

    void write_shards(JobContext& context, const fs::path& folder) {
        std::vector<ShardEntry> shards = resumed(context, folder);
        while (shards.size() * kSequencesPerShard < source_->size()) {
            const std::size_t first = shards.size() * kSequencesPerShard;
            const std::size_t last = std::min(first + kSequencesPerShard, source_->size());
            shards.push_back(
                write_shard(folder, shards.size(), make(context, first, last), shard_codec_of(params_)));
            report(context, last);
            if (last < source_->size()) {
                context.check(static_cast<std::int64_t>(last),
                              [&](const fs::path& into) { save(shards, folder, into); });
            }
        }
        write_dataset_index(folder, shards, {{"kind", "generate"}, {"params", params_}});
    }

    void write_bundles(JobContext& context, const fs::path& folder) {
        for (std::size_t first = 0; first < source_->size(); first += kBundlesPerStep) {
            const std::size_t last = std::min(first + kBundlesPerStep, source_->size());
            const std::vector<Sequence> made = make(context, first, last);
            spread(made.size(), std::max(1, context.threads()),
                   [&](std::size_t i) { write_bundle(folder / made[i].info.name, made[i]); });
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
    bool is_bundles_;
    std::unique_ptr<SequenceSource> source_;
    std::shared_ptr<kernels::Backend> gpu_;  ///< null: the CPU draws
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
                          {"description",
                           "Same seed, same bytes, whatever the machine; compat: the "
                           "recipe's master seed"},
                          {"x-ko", "난수 시드"}};
    properties["rng"] = choice({"philox", "compat"}, "philox",
                               "philox: our own generator; compat: the Python reference's, byte for byte",
                               "philox: 자체 생성기, compat: 파이썬 기준 생성기와 같은 바이트");
    properties["sequences"] = {
        {"type", "array"},
        {"maxItems", kListedMax},
        {"items", {{"type", "object"}}},
        {"default", nlohmann::ordered_json::array()},
        {"description",
         "compat: exactly these, each with name, the reference's configuration keys and "
         "extra_metadata; wins over preset"},
        {"x-ko", "compat: 나열한 시퀀스만 생성 (preset보다 우선)"}};
    properties["format"] = choice({"shards", "bundles"}, "shards",
                                  "Shards, or a folder of text files per sequence", "샤드 또는 텍스트 묶음");
    properties["codec"] = shard_codec_schema();
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
    kind.artifacts = {
        {"dataset/", "the data set: dataset.json and shards, or text bundles; give it as dataset",
         "데이터셋: dataset.json과 샤드, 또는 텍스트 묶음. dataset 매개변수로 씁니다"},
        {"manifest.json", "every sequence with its class, split, event frame and seed",
         "모든 시퀀스의 종류, 분할, 이벤트 프레임, 시드"}};
    kind.make = [](const json& params) { return std::make_unique<GenerateJob>(params); };
    return kind;
}

}  // namespace nightshift::jobs
