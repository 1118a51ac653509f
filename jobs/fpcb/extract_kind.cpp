#include <algorithm>
#include <filesystem>
#include <system_error>

#include <nlohmann/json.hpp>

#include "jobs/fpcb/feature_normalizer.h"
#include "jobs/fpcb/feature_table.h"
#include "jobs/kinds.h"
#include "jobs/runtime/durable_file.h"
#include "jobs/runtime/phase.h"
#include "jobs/runtime/sha256.h"
#include "jobs/runtime/written_hashes.h"
#include "jobs/table/table_reader.h"
#include "jobs/table/table_writer.h"

namespace nightshift::jobs {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Changes with every change of a feature's definition, so that old cached tables are not taken for new.
constexpr int kFeatureVersion = 1;
constexpr std::size_t kSkippedShown = 20;

class ExtractJob final : public JobImpl {
  public:
    explicit ExtractJob(const json& params)
        : params_(params), format_(table_format(params.at("format").get<std::string>())) {
        options_.set = params.at("set").get<std::string>();
        options_.is_float = params.at("precision") == "fp32";
        options_.with_conditioning = params.at("conditioning").get<bool>();
        if (!table_format_available(format_)) {
            throw JobError("no_arrow", "format=" + params.at("format").get<std::string>() +
                                           " needs Arrow, which is not in this build; use format=csv");
        }
    }

    void run(JobContext& context) override {
        const auto dataset = open_dataset(context.input(params_.at("dataset").get<std::string>(), "dataset"));
        const std::string table = "features" + std::string(extension(format_));
        const std::vector<std::string> names{table, table + ".sha256", "normalizer.json", "sequences.csv",
                                             "sequences.csv.sha256"};
        const fs::path cached = context.cache() / ("extract-" + key_of(*dataset));
        if (take_cached(context, cached, names)) {
            context.mark_cached();
            context.log("features taken from the cache");
        } else {
            make(context, *dataset, table);
            keep_cached(context, cached, names);
        }
        context.artifact(table, "table");
        context.artifact("normalizer.json", "file");
        context.artifact("sequences.csv", "file");
    }

  private:
    std::string key_of(const Dataset& dataset) const {
        json key = params_;
        key.erase("dataset");
        key["content"] = dataset.content_hash();
        key["version"] = kFeatureVersion;
        return sha256_of(key.dump()).substr(0, 40);
    }

    void make(JobContext& context, const Dataset& dataset, const std::string& table) {
        options_.threads = std::max(1, context.threads());
        const auto report = [&](const char* phase, std::size_t done, std::size_t total) {
            const Progress progress = step_of(phase, done, total);
            context.progress(progress);
            context.check(progress.step, {});
        };
        FeatureNormalizer normalizer(dataset, options_);
        std::unique_ptr<TableWriter> writer;
        const FeatureFacts facts = stream_features(
            dataset, options_, [&](std::size_t done) { report("extract", done, dataset.size()); },
            [&](const Table& piece) {
                if (!writer) {
                    writer = std::make_unique<TableWriter>(context.output() / table, format_, piece.heads(),
                                                           piece.notes);
                }
                writer->add(piece);
                normalizer.add(piece);
            });
        writer->finish();
        for (std::size_t i = 0; i < std::min(facts.skipped.size(), kSkippedShown); ++i) {
            context.log("warning: " + facts.skipped[i] + " is too short for set=" + options_.set +
                        " and has no row");
        }
        for (const DroppedColumn& column : facts.dropped) {
            context.log("dropped column " + column.name + " (" + column.reason + ")");
        }
        const auto written = TableReader::open_written(context.output() / table);
        std::size_t pieces = 0;
        const std::size_t pieces_max = written->rows() / piece_rows(written->columns().size()) + 1;
        const json numbers = normalizer.finish(
            *written, facts, [&] { report("normalize", std::min(++pieces, pieces_max), pieces_max); });
        write_durably(context.output() / "normalizer.json", numbers.dump(1) + "\n");
        write_table(sequences_table(dataset), context.output() / "sequences.csv", TableFormat::kCsv);
        context.log(std::to_string(written->rows()) + " rows x " + std::to_string(facts.features.size()) +
                    " features of " + std::to_string(dataset.size()) + " sequences");
    }

    /// True where every file of an earlier run was there and its hashes hold.
    bool take_cached(JobContext& context, const fs::path& cached,
                     const std::vector<std::string>& names) const {
        std::error_code error;
        if (!fs::exists(cached / "hashes.json", error)) return false;
        try {
            const json hashes = json::parse(read_text(cached / "hashes.json", 1 << 20));
            for (const std::string& name : names) {
                fs::copy_file(cached / name, context.output() / name, fs::copy_options::overwrite_existing);
                const std::string found = sha256_of_file(context.output() / name);
                if (found != hashes.at(name)) throw JobError("hash_mismatch", (cached / name).string());
                remember_hash(context.output() / name, found);
            }
            return true;
        } catch (const std::exception& damage) {
            context.log(std::string("warning: the cached table is damaged and made again: ") + damage.what());
            fs::remove_all(cached, error);
            return false;
        }
    }

    /// A cache that cannot be written costs time later, not this job.
    static void keep_cached(JobContext& context, const fs::path& cached,
                            const std::vector<std::string>& names) {
        try {
            const fs::path temporary =
                cached.string() + "." + sha256_of(context.output().string()).substr(0, 12) + ".tmp";
            fs::remove_all(temporary);
            fs::create_directories(temporary);
            json hashes;
            for (const std::string& name : names) {
                fs::copy_file(context.output() / name, temporary / name);
                // A copy that went wrong is found when it is taken.
                hashes[name] = written_hash_of_file(context.output() / name);
            }
            write_durably(temporary / "hashes.json", hashes.dump());
            std::error_code taken;
            fs::rename(temporary, cached, taken);  // another job may have been first; both are the same
            if (taken) fs::remove_all(temporary);
        } catch (const std::exception& error) {
            context.log(std::string("warning: the table was not kept in the cache: ") + error.what());
        }
    }

    json params_;
    TableFormat format_;
    FeatureTableOptions options_;
};

nlohmann::ordered_json schema() {
    nlohmann::ordered_json properties;
    properties["dataset"] = {{"type", "string"},
                             {"x-artifact", "dataset"},
                             {"description", "Folder of a data set, or job:ID"},
                             {"x-ko", "데이터셋 폴더 또는 job:ID"}};
    properties["set"] = {
        {"type", "string"},
        {"enum", {"native", "compat21", "compat75", "compat81"}},
        {"default", "native"},
        {"description", "native: from the tracks alone, a row a sequence; compat: the reference's columns"},
        {"x-ko", "native: 궤적만 사용, 시퀀스당 한 행; compat: 기존 열"}};
    properties["format"] = {{"type", "string"},
                            {"enum", {"feather", "parquet", "csv"}},
                            {"default", table_format_available(TableFormat::kFeather) ? "feather" : "csv"},
                            {"description", "File format of the table"},
                            {"x-ko", "표 파일 형식"}};
    properties["precision"] = {{"type", "string"},
                               {"enum", {"fp64", "fp32"}},
                               {"default", "fp64"},
                               {"description", "Width of the numbers in the table"},
                               {"x-ko", "숫자 정밀도"}};
    properties["conditioning"] = {{"type", "boolean"},
                                  {"default", false},
                                  {"description", "native: also how each sequence was seen (noise, jitter)"},
                                  {"x-ko", "native: 촬영 조건 열 포함"}};
    return {{"type", "object"}, {"properties", properties}, {"required", {"dataset"}}};
}

}  // namespace

Kind extract_kind() {
    Kind kind;
    kind.name = "extract";
    kind.job_class = JobClass::kTraining;
    kind.summary_en = "Extracts features from a data set";
    kind.summary_ko = "데이터셋에서 특징을 추출합니다";
    kind.ram = mebibytes(512);
    kind.schema = schema;
    kind.artifacts = {
        {"features.*",
         "native: a row a sequence; compat: a row a frame. pandas.read_feather(\"features.feather\")",
         "native: 시퀀스당 한 행, compat: 프레임당 한 행. pandas.read_feather(\"features.feather\")"},
        {"normalizer.json", "mean and deviation of each feature over normal training rows; dropped columns",
         "정상 학습 행의 특징별 평균·표준편차, 제외된 열"},
        {"sequences.csv", "what is known of each sequence: label 1 damaged, 0 not, -1 not known; fps in 1/s",
         "시퀀스 정보: label 1 손상, 0 정상, -1 모름; fps는 1/s"}};
    kind.make = [](const json& params) { return std::make_unique<ExtractJob>(params); };
    return kind;
}

}  // namespace nightshift::jobs
