#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include "jobs/kinds.h"
#include "jobs/models/training_rows.h"
#include "jobs/models/training_run.h"
#include "jobs/optimize/target.h"
#include "jobs/optimize/trial_file.h"
#include "jobs/runtime/durable_file.h"
#include "jobs/runtime/phase.h"

namespace nightshift::jobs {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kTrialsDefault = 20;
constexpr const char* kTrialsName = "trials.jsonl";

class OptimizeJob final : public JobImpl {
  public:
    explicit OptimizeJob(json params) : params_(std::move(params)) {}

    void run(JobContext& context) override {
        const TargetKind& kind = find_target(params_.at("target").get<std::string>());
        refuse_foreign_inputs(kind, params_);
        space_ = narrowed(kind.space(params_), params_.at("space"));
        if (params_.at("method") == "grid") grid_ = grid_points(space_);
        const std::size_t count = count_of_trials();
        if (const auto folder = context.resume_from()) resume(*folder, context);
        write_trials(context.output() / kTrialsName, space_, lines_);
        const std::unique_ptr<Target> target = kind.make(params_, space_, context);
        const auto save = [this](const std::filesystem::path& folder) {
            write_trials(folder / kTrialsName, space_, lines_);
        };
        while (!target->prepare(context)) context.check(static_cast<std::int64_t>(lines_.size()), save);
        auto saved_at = Clock::now();
        while (lines_.size() < count) {
            const auto step = static_cast<std::int64_t>(lines_.size());
            context.check(step, save);
            if (Clock::now() - saved_at >= kCheckpointEvery) {
                context.checkpoint(step, save);
                saved_at = Clock::now();
            }
            auto line = tried(next_point(), *target, context);
            if (!line) continue;  // check() saves what is done and leaves
            lines_.push_back(std::move(*line));
            append_trial(context.output() / kTrialsName, space_, lines_.size(), lines_.back());
            report(context, count);
        }
        const std::size_t place = require_best();
        std::optional<nlohmann::ordered_json> verdict;
        while (!(verdict = target->verdict(lines_[place].trial.point, context)))
            context.check(static_cast<std::int64_t>(lines_.size()), save);
        write_best(context, *target, place, *verdict);
        context.artifact("best.json", "report");
    }

  private:
    std::size_t count_of_trials() const {
        const auto wanted = params_.find("trials");
        if (grid_.empty()) {
            return static_cast<std::size_t>(wanted == params_.end() ? kTrialsDefault
                                                                    : wanted->get<std::int64_t>());
        }
        if (wanted != params_.end() && wanted->get<std::size_t>() < grid_.size()) {
            throw JobError("bad_param",
                           "the grid has " + std::to_string(grid_.size()) + " points and trials is " +
                               wanted->dump() +
                               "; raise trials, give fewer points to a dimension of space, or use "
                               "method tpe");
        }
        return grid_.size();
    }

    void resume(const std::filesystem::path& folder, JobContext& context) {
        lines_ = read_trials(folder / kTrialsName, space_);
        context.log("resumed after trial " + std::to_string(lines_.size()));
    }

    Point next_point() const {
        if (!grid_.empty()) return grid_[lines_.size()];
        std::vector<Trial> done;
        for (const TrialLine& line : lines_) done.push_back(line.trial);
        return tpe_point(space_, done, params_.at("seed").get<std::uint64_t>());
    }

    /// Nothing: a stop was asked for.
    std::optional<TrialLine> tried(Point point, Target& target, JobContext& context) const {
        // The value is a function of the point: whole numbers and words come round again.
        for (const TrialLine& line : lines_) {
            if (line.trial.point == point) return line;
        }
        TrialLine line{{std::move(point), std::numeric_limits<double>::quiet_NaN()}, ""};
        try {
            const auto value = target.value(line.trial.point, context);
            if (!value) return std::nullopt;
            line.trial.value = *value;
            if (!std::isfinite(*value)) {
                line.trial.value = std::numeric_limits<double>::quiet_NaN();
                line.error = "the value is not a number";
            }
        } catch (const JobError& error) {
            line.error = error.what();
        }
        return line;
    }

    /// Place of the best line, the first of equal ones; nothing while none could be evaluated.
    std::optional<std::size_t> best() const {
        std::optional<std::size_t> place;
        for (std::size_t i = 0; i < lines_.size(); ++i) {
            if (std::isnan(lines_[i].trial.value)) continue;
            if (!place || lines_[i].trial.value > lines_[*place].trial.value) place = i;
        }
        return place;
    }

    void report(JobContext& context, std::size_t count) const {
        Progress progress = step_of("search", lines_.size(), count);
        progress.metrics.emplace_back("value", lines_.back().trial.value);
        if (const auto place = best()) progress.metrics.emplace_back("best", lines_[*place].trial.value);
        context.progress(progress);
    }

    std::size_t require_best() const {
        if (const auto place = best()) return *place;
        throw JobError("no_trial", "none of " + std::to_string(lines_.size()) +
                                       " trials could be evaluated; the last one said: " +
                                       (lines_.empty() ? std::string() : lines_.back().error));
    }

    void write_best(JobContext& context, const Target& target, std::size_t place,
                    const nlohmann::ordered_json& verdict) const {
        const auto failed = std::count_if(lines_.begin(), lines_.end(),
                                          [](const TrialLine& line) { return std::isnan(line.trial.value); });
        nlohmann::ordered_json out{{"target", params_.at("target")},
                                   {"method", params_.at("method")},
                                   {"metric", target.metric()},
                                   {"value", lines_[place].trial.value},
                                   {"params", to_json(space_, lines_[place].trial.point)},
                                   {"trial", place + 1},
                                   {"trials", lines_.size()},
                                   {"failed", failed}};
        if (!verdict.is_null()) out["verdict"] = verdict;
        write_durably(context.output() / "best.json", out.dump(2) + "\n");
        context.log("best of " + std::to_string(lines_.size()) + " trials: " + out.at("params").dump() +
                    " with " + out.at("value").dump() + " (" + target.metric() + ")");
        if (!verdict.is_null()) context.log("verdict: " + verdict.dump());
    }

    json params_;
    SearchSpace space_;
    std::vector<Point> grid_;  ///< empty with method tpe
    std::vector<TrialLine> lines_;
};

nlohmann::ordered_json schema() {
    auto schema = nlohmann::ordered_json::parse(R"JSON({
        "type": "object",
        "required": ["target"],
        "properties": {
            "target": {"type": "string", "x-ko": "탐색 대상",
                "description": "What to search the best parameters of"},
            "method": {"type": "string", "enum": ["grid", "tpe"], "default": "tpe", "x-ko": "탐색 방법",
                "description": "grid: every point; tpe: learns where the good ones are"},
            "trials": {"type": "integer", "minimum": 1, "maximum": 100000, "x-ko": "시도 횟수",
                "description": "Points to try; default: 20, of a grid all of it"},
            "space": {"type": "object", "default": {}, "x-ko": "탐색 범위",
                "description": "Ranges and values: {\"lr\": {\"low\": 1e-4, \"high\": 0.01}, \"k\": 3}"},
            "features": {"type": "string", "x-artifact": "table", "x-ko": "특징 표 (dream, patchcore)",
                "description": "dream, patchcore: table of features, a file or job:ID"},
            "dataset": {"type": "string", "x-artifact": "dataset", "x-ko": "데이터 세트 (분할과 라벨의 출처)",
                "description": "Data set that says what is damaged and how it is split; risk, cpd: tracks"},
            "detector": {"type": "string", "enum": ["cusum", "window", "pelt"], "x-ko": "변화점 방법 (cpd)",
                "description": "cpd: the method of detect.cpd that is searched; default cusum"},
            "compat": {"type": "boolean", "x-ko": "기존 탐색과 동일하게 (cpd)",
                "description": "cpd: the reference's detectors; any alarm in the expected range is a hit"},
            "table": {"type": "string", "x-artifact": "table", "x-ko": "신호가 있는 표 (cpd, compat)",
                "description": "cpd, compat: table with signals instead of dataset, a file or job:ID"},
            "column": {"type": "string", "x-ko": "신호 열 (cpd, compat)",
                "description": "cpd, compat: column of the table with the signal"},
            "expected_range": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2,
                "x-ko": "변화점이 있어야 할 프레임 범위 (cpd, compat)",
                "description": "cpd, compat: frames of a hit; default: any, of a data set 5 to each side"},
            "columns": {"type": "array", "items": {"type": "string"}, "x-ko": "쓸 열; 없으면 모든 숫자 열",
                "description": "Columns to use; every numeric column without it"},
            "normalize": {"type": "boolean", "x-ko": "정규화; 기본: 시퀀스 행이면 함",
                "description": "z-scores by the training rows; default: for rows of sequences"},
            "seed": {"type": "integer", "default": 42, "minimum": 0, "x-ko": "난수 시드",
                "description": "Of the search and of every trial"}
        }
    })JSON");
    schema["properties"]["rows"] = rows_schema();
    auto& names = schema["properties"]["target"]["enum"] = nlohmann::ordered_json::array();
    for (const TargetKind& kind : target_kinds()) names.push_back(kind.name);
    return schema;
}

}  // namespace

Kind optimize_kind() {
    Kind kind;
    kind.name = "optimize";
    kind.job_class = JobClass::kTraining;
    kind.summary_en = "Searches the best parameters of a model or a detector";
    kind.summary_ko = "모델이나 검출기의 가장 좋은 매개변수를 찾습니다";
    kind.ram = gibibytes(2);
    kind.checkpoint = CheckpointMode::kWorker;
    kind.schema = schema;
    kind.artifacts = {{"trials.jsonl", "a line a trial: parameters and value, higher is better",
                       "시도마다 한 줄: 매개변수와 값, 클수록 좋음"},
                      {"best.json", "the best trial, and how it was searched", "가장 좋은 시도와 탐색 방법"}};
    kind.make = [](const json& params) { return std::make_unique<OptimizeJob>(params); };
    return kind;
}

}  // namespace nightshift::jobs
