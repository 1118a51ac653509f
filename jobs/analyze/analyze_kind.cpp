#include <algorithm>
#include <cmath>
#include <vector>

#include <nlohmann/json.hpp>

#include "jobs/analyze/analysis_report.h"
#include "jobs/analyze/analysis_state.h"
#include "jobs/analyze/growing_file.h"
#include "jobs/analyze/risk_figures.h"
#include "jobs/analyze/risk_params.h"
#include "jobs/fpcb/vector_table.h"
#include "jobs/kinds.h"
#include "jobs/runtime/durable_file.h"
#include "jobs/runtime/phase.h"
#include "jobs/runtime/spread.h"

namespace nightshift::jobs {
namespace {

using nlohmann::json;

constexpr std::size_t kSequencesPerStep = 64;  ///< between two looks at a stop, and in memory at once
constexpr std::size_t kNamedMax = 8;           ///< sequences of a list in the report
constexpr std::uint64_t kIntervalSeed = 42;

double option(const json& params, const char* name) {
    const double value = params.at(name).get<double>();
    if (!std::isfinite(value)) {
        throw JobError("bad_param", std::string("parameter '") + name +
                                        "' is not a finite number; give one, or 0 for the sequence's own");
    }
    return value;
}

class AnalyzeJob final : public JobImpl {
  public:
    explicit AnalyzeJob(json params) : params_(std::move(params)) {
        options_.fps = option(params_, "fps");
        options_.meters_per_pixel = option(params_, "meters_per_pixel");
        options_.risk = risk_from(params_);
    }

    void run(JobContext& context) override {
        const auto source = params_.at("dataset").get<std::string>();
        const auto dataset = open_dataset(context.input(source, "dataset"));
        const auto resumed = resume(context, *dataset);
        GrowingFile summary(context.output() / "summary.csv", summary_header(), resumed);
        GrowingFile risk(context.output() / "risk.csv", risk_header(), resumed);
        while (state_.next < dataset->size()) {
            advance(context, *dataset, summary, risk);
            context.check(static_cast<std::int64_t>(state_.next), [&](const std::filesystem::path& folder) {
                summary.save(folder);
                risk.save(folder);
                save_analysis(folder, state_, params_, dataset->content_hash());
            });
        }
        if (state_.risks.empty()) {
            throw JobError("no_sequences", source + " has no sequence with up to " +
                                               std::to_string(kVectorRowsMax) +
                                               " points over all frames and at least one; give another "
                                               "data set");
        }
        summary.finish();
        risk.finish();
        write_report(context, *dataset, source);
    }

  private:
    std::optional<std::filesystem::path> resume(JobContext& context, const Dataset& dataset) {
        auto folder = context.resume_from();
        if (!folder || !load_analysis(*folder, state_, params_, dataset.content_hash())) return std::nullopt;
        context.log("resumed after " + std::to_string(state_.next) + " sequences");
        return folder;
    }

    /// Analyses the next few sequences, as many as are small enough to be in memory together.
    void advance(JobContext& context, const Dataset& dataset, GrowingFile& summary, GrowingFile& risk) {
        std::vector<std::size_t> which;
        std::size_t rows = 0, next = state_.next;
        for (; next < dataset.size() && which.size() < kSequencesPerStep; ++next) {
            const SequenceInfo& info = dataset.info(next);
            if (!can_be_analysed(info)) {
                state_.skipped.push_back(next);
                continue;
            }
            rows += static_cast<std::size_t>(info.frames) * static_cast<std::size_t>(info.points);
            if (!which.empty() && rows > kVectorRowsMax) break;
            which.push_back(next);
        }
        std::vector<SequenceAnalysis> found(which.size());
        spread(
            which.size(), context.threads(),
            [&](std::size_t k) { found[k] = analyze_sequence(dataset.read(which[k]), options_); },
            // Ends the job on a cancel; a yield waits for the end of these few.
            [&](std::size_t) { context.check(static_cast<std::int64_t>(state_.next), {}); });
        for (const SequenceAnalysis& each : found) {
            summary.append(each.summary_row);
            risk.append(each.frame_rows);
            state_.risks.push_back(each.risk);
        }
        state_.next = next;
        report(context, dataset.size());
    }

    void report(JobContext& context, std::size_t total) const {
        context.progress(step_of("analyze", state_.next, total));
    }

    void write_report(JobContext& context, const Dataset& dataset, const std::string& source) const {
        const RiskFigures figures = risk_figures(dataset, state_.risks, kNamedMax, kIntervalSeed);
        write_durably(context.output() / "report.html",
                      analysis_report_html(dataset, state_, figures, {source, options_}));
        write_durably(context.output() / "README.txt", analysis_readme());
        context.artifact("summary.csv", "table");
        context.artifact("risk.csv", "file");
        context.artifact("report.html", "report");
        context.artifact("README.txt", "file");
        std::string line = std::to_string(state_.risks.size()) + " sequences";
        if (!state_.skipped.empty())
            line +=
                ", " + std::to_string(state_.skipped.size()) + " without points or with too many left out";
        if (figures.without_metrics > 0) {
            line += "; " + std::to_string(figures.without_metrics) +
                    " have no frame_metrics.csv, so strain and angle count as 0";
        }
        line += std::isfinite(figures.roc_auc)
                    ? "; ROC AUC of the largest risk " + std::to_string(figures.roc_auc)
                    : "; no ROC AUC, which needs damaged and normal sequences";
        context.log(line);
    }

    json params_;
    AnalysisOptions options_;
    AnalysisState state_;
};

nlohmann::ordered_json schema() {
    nlohmann::ordered_json properties;
    properties["dataset"] = {{"type", "string"},
                             {"x-artifact", "dataset"},
                             {"description", "Folder of a data set, or job:ID"},
                             {"x-ko", "데이터셋 폴더 또는 job:ID"}};
    properties["fps"] = {{"type", "number"},
                         {"minimum", 0},
                         {"default", 0},
                         {"description", "Frames per second instead of the sequences' own; 0 = their own"},
                         {"x-ko", "초당 프레임 수 (0 = 원래 값)"}};
    properties["meters_per_pixel"] = {{"type", "number"},
                                      {"minimum", 0},
                                      {"default", 0},
                                      {"description", "Scale instead of the sequences' own; 0 = their own"},
                                      {"x-ko", "픽셀당 미터 (0 = 원래 값)"}};
    add_risk_schema(properties);
    return {{"type", "object"}, {"properties", properties}, {"required", {"dataset"}}};
}

}  // namespace

Kind analyze_kind() {
    Kind kind;
    kind.name = "analyze";
    kind.job_class = JobClass::kEvaluation;
    kind.summary_en =
        "Summarises every sequence of a data set: motion, surrogates, the reference's crack risk";
    kind.summary_ko = "데이터셋의 모든 시퀀스를 요약합니다: 움직임, 대용 지표, 균열 위험도";
    kind.ram = mebibytes(512);
    kind.checkpoint = CheckpointMode::kWorker;
    kind.schema = schema;
    kind.artifacts = {
        {"summary.csv", "a row a sequence", "시퀀스마다 한 행"},
        {"risk.csv", "a row a frame", "프레임마다 한 행"},
        {"report.html", "the report, one file for any browser", "보고서, 브라우저로 여는 파일 하나"},
        {"README.txt", "columns and units", "열과 단위"}};
    kind.make = [](const json& params) { return std::make_unique<AnalyzeJob>(params); };
    return kind;
}

}  // namespace nightshift::jobs
