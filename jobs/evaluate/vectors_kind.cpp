#include <fstream>
#include <system_error>

#include <nlohmann/json.hpp>

#include "jobs/evaluate/vector_map.h"
#include "jobs/fpcb/python_text.h"
#include "jobs/fpcb/vector_table.h"
#include "jobs/kinds.h"
#include "jobs/runtime/durable_file.h"

namespace nightshift::jobs {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kNamesShown = 5;

class VectorsJob final : public JobImpl {
  public:
    explicit VectorsJob(json params) : params_(std::move(params)) {}

    void run(JobContext& context) override {
        const auto dataset = open_dataset(context.input(params_.at("dataset").get<std::string>(), "dataset"));
        const Sequence s = dataset->read(chosen(*dataset));
        report(context, 1);
        const VectorTable table =
            vector_table(s, params_.at("fps").get<double>(), params_.at("meters_per_pixel").get<double>());
        report(context, 2);
        write(context, "vectors.csv", "table", [&](const TextSink& put) { put_vectors_csv(table, s, put); });
        report(context, 3);
        write(context, "vectors.txt", "file", [&](const TextSink& put) { put_vectors_txt(table, s, put); });
        const nlohmann::ordered_json summary = vector_summary(table, s);
        write(context, "summary.json", "report", [&](const TextSink& put) { put(python_json(summary)); });
        write(context, "summary.txt", "file",
              [&](const TextSink& put) { put(vector_summary_text(summary)); });
        write_map(context, s);
        report(context, kSteps);
        context.log(std::to_string(table.vectors.rows()) + " rows of sequence " + s.info.name +
                    (table.metrics ? "" : "; it has no frame_metrics.csv, so strain counts as 0"));
    }

  private:
    static constexpr int kSteps = 4;

    std::size_t chosen(const Dataset& dataset) const {
        const auto name = params_.at("sequence").get<std::string>();
        if (!name.empty()) return dataset.find(name);
        if (dataset.size() == 1) return 0;
        std::string names;
        for (std::size_t i = 0; i < std::min(dataset.size(), kNamesShown); ++i)
            names += (names.empty() ? "" : ", ") + dataset.info(i).name;
        throw JobError("missing_param", "the data set has " + std::to_string(dataset.size()) +
                                            " sequences; give sequence, one of " + names +
                                            (dataset.size() > kNamesShown ? ", ..." : ""));
    }

    static void report(JobContext& context, int step) {
        Progress progress;
        progress.phase = "vectors";
        progress.step = step;
        progress.steps = kSteps;
        context.progress(progress);
        context.check(step, {});
    }

    template <typename Fill>
    static void write(JobContext& context, const std::string& name, const char* type, const Fill& fill) {
        const fs::path file = context.output() / name, temporary = file.string() + ".tmp";
        std::ofstream out(temporary, std::ios::binary);
        fill([&](std::string_view piece) {
            out << piece;
            if (context.stop_requested()) context.check(0, {});
        });
        out.close();
        if (!out) throw JobError("io_error", file.string() + ": could not be written; is the disk full?");
        rename_durably(temporary, file);
        context.artifact(name, type);
    }

    static void write_map(JobContext& context, const Sequence& s) {
        const std::string map = vector_map_file(s, step_to_show(s), s.info.name);
        if (map.empty()) {
            context.log("no vector_map.svg: a map needs two frames");
            return;
        }
        write(context, "vector_map.svg", "file", [&](const TextSink& put) { put(map); });
    }

    json params_;
};

nlohmann::ordered_json schema() {
    nlohmann::ordered_json properties;
    properties["dataset"] = {{"type", "string"},
                             {"x-artifact", "dataset"},
                             {"description", "Folder of a data set, or job:ID"},
                             {"x-ko", "데이터셋 폴더 또는 job:ID"}};
    properties["sequence"] = {
        {"type", "string"},
        {"default", ""},
        {"description", "Name of the sequence; may be left out where there is only one"},
        {"x-ko", "시퀀스 이름 (하나뿐이면 생략 가능)"}};
    properties["fps"] = {{"type", "number"},
                         {"minimum", 0},
                         {"default", 0},
                         {"description", "Frames per second instead of the sequence's own; 0 = its own"},
                         {"x-ko", "초당 프레임 수 (0 = 원래 값)"}};
    properties["meters_per_pixel"] = {{"type", "number"},
                                      {"minimum", 0},
                                      {"default", 0},
                                      {"description", "Scale instead of the sequence's own; 0 = its own"},
                                      {"x-ko", "픽셀당 미터 (0 = 원래 값)"}};
    return {{"type", "object"}, {"properties", properties}, {"required", {"dataset"}}};
}

}  // namespace

Kind vectors_kind() {
    Kind kind;
    kind.name = "vectors";
    kind.job_class = JobClass::kEvaluation;
    kind.summary_en = "Tabulates every point's motion in one sequence, with the reference's crack risk";
    kind.summary_ko = "한 시퀀스의 점별 움직임과 균열 위험도를 표로 만듭니다";
    kind.ram = mebibytes(512);
    kind.checkpoint = CheckpointMode::kNone;
    kind.schema = schema;
    kind.artifacts = {{"vectors.csv", "a row a point and frame: px, px/s, px/s^2; surrogates and risk",
                       "점과 프레임마다 한 행: px, px/s, px/s^2; 대용 지표와 위험도"},
                      {"vectors.txt", "the same with tabs", "같은 내용, 탭 구분"},
                      {"summary.json", "means and largest values", "평균과 최댓값"},
                      {"summary.txt", "the same to read", "같은 내용을 글로"},
                      {"vector_map.svg", "displacements of one frame, for a browser",
                       "한 프레임의 변위, 브라우저로 봅니다"}};
    kind.make = [](const json& params) { return std::make_unique<VectorsJob>(params); };
    return kind;
}

}  // namespace nightshift::jobs
