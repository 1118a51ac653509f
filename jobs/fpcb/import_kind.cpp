#include <algorithm>

#include <nlohmann/json.hpp>

#include "jobs/fpcb/bundle_tree.h"
#include "jobs/fpcb/shard_writer.h"
#include "jobs/fpcb/text_bundle.h"
#include "jobs/kinds.h"
#include "jobs/runtime/phase.h"

namespace nightshift::jobs {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kShardBytesMax = std::size_t{64} << 20;  ///< memory of a shard being filled
constexpr std::size_t kWarningsShown = 50;

class ImportJob final : public JobImpl {
  public:
    explicit ImportJob(const json& params)
        : params_(params),
          path_(params.at("path").get<std::string>()),
          is_strict_(params.at("preflight") == "strict") {
        if (path_.empty())
            throw JobError("bad_param", "path is empty; give a folder of text bundles, or one bundle");
    }

    void run(JobContext& context) override {
        const std::vector<BundlePlace> places = find_bundles(path_);
        const fs::path folder = context.output() / "dataset";
        fs::create_directories(folder);
        std::vector<ShardEntry> shards;
        std::vector<Sequence> pending;
        std::size_t bytes = 0;
        const auto flush = [&] {
            if (pending.empty()) return;
            shards.push_back(write_shard(folder, shards.size(), pending, shard_codec_of(params_)));
            pending.clear();
            bytes = 0;
        };
        for (std::size_t i = 0; i < places.size(); ++i) {
            BundleRead read = read_bundle(places[i].folder);
            judge(context, read.findings);
            read.sequence.info.id = static_cast<std::int64_t>(i);
            read.sequence.info.name = places[i].name;
            bytes += read.sequence.x.size() * 4;
            for (const SideFile& side : read.sequence.side_files) bytes += side.bytes.size();
            pending.push_back(std::move(read.sequence));
            if (pending.size() == kSequencesPerShard || bytes >= kShardBytesMax) flush();
            const Progress progress = step_of("import", i + 1, places.size());
            context.progress(progress);
            context.check(progress.step, {});
        }
        flush();
        write_dataset_index(folder, shards, {{"kind", "import"}, {"params", params_}});
        context.artifact("dataset/", "dataset");
        context.log("imported " + std::to_string(places.size()) + " bundles, " + std::to_string(warnings_) +
                    " warnings");
    }

  private:
    void judge(JobContext& context, const std::vector<BundleFinding>& findings) {
        for (const BundleFinding& finding : findings) {
            const bool is_error = is_strict_ && (finding.kind == BundleFinding::Kind::kMissingFrame ||
                                                 finding.kind == BundleFinding::Kind::kOtherPoints);
            if (is_error) {
                throw JobError("bad_bundle",
                               finding.message + ". Add what is missing, or import with preflight=warn.");
            }
            if (++warnings_ <= kWarningsShown) context.log("warning: " + finding.message);
        }
    }

    json params_;
    fs::path path_;
    bool is_strict_;
    std::size_t warnings_ = 0;
};

nlohmann::ordered_json schema() {
    nlohmann::ordered_json properties;
    properties["path"] = {{"type", "string"},
                          {"x-path", true},
                          {"description", "A text bundle, or a folder of them"},
                          {"x-ko", "텍스트 묶음 폴더"}};
    properties["preflight"] = {
        {"type", "string"},
        {"enum", {"strict", "warn"}},
        {"default", "strict"},
        {"description", "strict: missing frames or points are errors; warn: they are noted"},
        {"x-ko", "strict: 빠진 프레임·점은 오류, warn: 경고만"}};
    properties["codec"] = shard_codec_schema();
    return {{"type", "object"}, {"properties", properties}, {"required", {"path"}}};
}

}  // namespace

Kind import_kind() {
    Kind kind;
    kind.name = "import";
    kind.job_class = JobClass::kSynthesis;
    kind.summary_en = "Imports text bundles as a data set";
    kind.summary_ko = "텍스트 묶음을 데이터셋으로 가져옵니다";
    kind.ram = mebibytes(256);
    kind.schema = schema;
    kind.artifacts = {{"dataset/",
                       "the data set: dataset.json and shards, or text bundles; give it as dataset",
                       "데이터셋: dataset.json과 샤드, 또는 텍스트 묶음. dataset 매개변수로 씁니다"}};
    kind.make = [](const json& params) { return std::make_unique<ImportJob>(params); };
    return kind;
}

}  // namespace nightshift::jobs
