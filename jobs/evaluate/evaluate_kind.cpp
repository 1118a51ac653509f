#include <algorithm>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "jobs/cpd/evaluate_cpd.h"
#include "jobs/evaluate/baselines.h"
#include "jobs/evaluate/compat_run.h"
#include "jobs/evaluate/evaluation.h"
#include "jobs/evaluate/findings.h"
#include "jobs/evaluate/followed_features.h"
#include "jobs/evaluate/report_html.h"
#include "jobs/evaluate/report_json.h"
#include "jobs/evaluate/report_maps.h"
#include "jobs/kinds.h"
#include "jobs/models/ensemble.h"
#include "jobs/models/features_input.h"
#include "jobs/models/free_name.h"
#include "jobs/models/model_folder.h"
#include "jobs/models/scorer.h"
#include "jobs/models/sequence_scores.h"
#include "jobs/runtime/durable_file.h"
#include "jobs/runtime/phase.h"
#include "jobs/runtime/text_param.h"
#include "jobs/table/nearest_word.h"

namespace nightshift::jobs {
namespace {

using nlohmann::json;

/// A parameter that is one string or a list of them.
std::vector<std::string> strings_of(const json& params, const char* name) {
    const auto value = params.find(name);
    if (value == params.end() || value->is_null()) return {};
    if (value->is_string()) return {value->get<std::string>()};
    return value->get<std::vector<std::string>>();
}

class Evaluate final : public JobImpl {
  public:
    explicit Evaluate(json params) : params_(std::move(params)) {}

    void run(JobContext& context) override {
        if (goal() == "cpd") return evaluate_cpd(context, params_);
        refuse_what_is_missing();
        context.progress(phase_at("read", 0));
        std::vector<Model> models;
        const std::vector<std::string> references = strings_of(params_, "models");
        for (const std::string& reference : references)
            models.push_back(read_model(context.input(reference, "model")));
        const FeaturesInput input = read(context, models);
        if (params_.at("protocol") == "compat") {
            return run_compat(context, goal(), input, models, references, columns_of_scores(input));
        }
        SequenceScores sequences = group_by_sequence(input.set);
        Evaluation evaluation;
        evaluation.goal = input.set.is_plain() ? "table" : goal();
        evaluation.source = input.set.origin;
        evaluation.units = units_of(input, sequences);
        const std::vector<std::size_t> judged = judged_units(evaluation.units);
        require_both_classes(evaluation.units, judged, input.set);
        evaluation.judged = static_cast<std::int64_t>(judged.size());
        evaluation.has_split = std::find(evaluation.units.split.begin(), evaluation.units.split.end(),
                                         Split::kVal) != evaluation.units.split.end();
        std::vector<Candidate> candidates = score_columns(input, sequences);
        for (std::size_t i = 0; i < models.size(); ++i) {
            candidates.push_back(
                score_model(context, models[i], references[i], input, sequences, candidates));
        }
        add_guard_and_baselines(context, evaluation, input, sequences, judged, candidates);
        judge_all(context, evaluation, candidates);
        write(context, evaluation, input);
    }

  private:
    std::string goal() const {
        const json& value = params_.at("goal");
        return value.is_string() ? value.get<std::string>() : std::to_string(value.get<int>());
    }

    void refuse_what_is_missing() const {
        if (strings_of(params_, "models").empty() && strings_of(params_, "scores").empty()) {
            throw JobError("missing_param",
                           "nothing to judge: give models (folders or job:ID) or scores (columns)");
        }
    }

    FeaturesInput read(JobContext& context, const std::vector<Model>& models) const {
        ColumnChoice columns;
        columns.without = strings_of(params_, "scores");
        for (const char* name : {"label", "group"}) {
            if (const std::string column = text_param(params_, name); !column.empty())
                columns.without.push_back(column);
        }
        columns.also = columns.without;
        if (models.empty() && text_param(params_, "dataset").empty()) {
            // A table of nothing but labels and scores has no features: its scores stand in for them.
            columns.only = strings_of(params_, "scores");
            columns.without.clear();
        }
        const std::string set =
            models.empty() || models.front().feature_set.empty() ? "native" : models.front().feature_set;
        FeaturesInput input = read_features(context, params_, columns, set);
        if (input.set.is_plain() && text_param(params_, "label").empty()) {
            throw JobError("missing_param", input.set.origin +
                                                " has no sequence column, so label has to name the column "
                                                "with 1 for damaged and 0 for normal rows");
        }
        return input;
    }

    Units units_of(const FeaturesInput& input, const SequenceScores& sequences) const {
        Units units;
        if (input.set.is_plain()) {
            units.noun_en = "row", units.noun_ko = "행";
        }
        units.name = sequences.name;
        units.label = sequences.label;
        units.split = sequences.split;
        units.group = sequences.scenario;
        units.is_outside.assign(units.size(), 0);
        if (const std::string column = text_param(params_, "label"); !column.empty()) {
            const std::vector<double> labels = input.table.numbers(column);
            for (std::size_t u = 0; u < units.size(); ++u) {
                const double label = labels[static_cast<std::size_t>(sequences.rows[u].front())];
                units.label[u] = label == 1 ? 1 : label == 0 ? 0 : -1;
            }
        }
        if (const std::string column = text_param(params_, "group"); !column.empty()) {
            const std::vector<std::string> groups = input.table.text(column);
            for (std::size_t u = 0; u < units.size(); ++u)
                units.group[u] = groups[static_cast<std::size_t>(sequences.rows[u].front())];
        }
        if (input.set.is_plain()) {
            if (input.table.find("split") != nullptr) {
                const std::vector<std::string> words = input.table.text("split");
                for (std::size_t u = 0; u < units.size(); ++u) units.split[u] = split_of(words[u]);
            }
            return units;
        }
        const std::string wanted = goal() == "all" ? "" : "goal" + goal();
        for (std::size_t u = 0; u < units.size(); ++u) {
            const std::string& own = sequences.goal[u];
            // A variant is neither normal nor damaged in any goal's sense: it is shown, not counted.
            units.is_outside[u] = own == "variant" ? 1 : 0;
            const bool is_other_damage =
                units.label[u] == 1 && !wanted.empty() && !own.empty() && own != wanted;
            if (is_other_damage) units.label[u] = -1;
        }
        return units;
    }

    static void require_both_classes(const Units& units, const std::vector<std::size_t>& judged,
                                     const FeatureSet& set) {
        const auto damaged =
            std::count_if(judged.begin(), judged.end(), [&](std::size_t u) { return units.label[u] == 1; });
        if (damaged > 0 && damaged < static_cast<std::ptrdiff_t>(judged.size())) return;
        throw JobError("no_labels",
                       set.origin + " has " + std::to_string(judged.size()) + " " + units.noun_en +
                           "s to judge, " + std::to_string(damaged) +
                           " of them damaged; both classes are needed. Give dataset, label, or another goal");
    }

    std::vector<CompatModel> columns_of_scores(const FeaturesInput& input) const {
        std::vector<CompatModel> out;
        for (const std::string& column : strings_of(params_, "scores")) {
            out.push_back({column, input.table.numbers(column)});
            require_finite(out.back().scores, {column}, input.set.origin);
        }
        return out;
    }

    std::vector<Candidate> score_columns(const FeaturesInput& input, SequenceScores& sequences) const {
        std::vector<Candidate> out;
        for (const std::string& column : strings_of(params_, "scores")) {
            const std::vector<double> values = input.table.numbers(column);
            require_finite(values, {column}, input.set.origin);
            aggregate_scores(sequences, values, aggregate_of(params_.at("aggregate").get<std::string>()));
            out.push_back({column, "column of " + input.set.origin, false, sequences.score, std::nullopt});
        }
        return out;
    }

    Candidate score_model(JobContext& context, const Model& model, const std::string& reference,
                          const FeaturesInput& input, SequenceScores& sequences,
                          const std::vector<Candidate>& before) const {
        const FeatureSet& set = input.set;
        const ScoreOptions options = score_options(context, reference, input.dataset.get());
        const Aggregate aggregate = aggregate_of(params_.at("aggregate").get<std::string>());
        std::vector<MemberScores> members;
        if (model.kind == "ensemble") {
            const Ensemble ensemble = ensemble_of_model(model);
            const ScoreColumns raw = member_scores(ensemble, set, options);
            for (std::size_t m = 0; m < raw.size(); ++m) {
                aggregate_scores(sequences, raw[m], aggregate);
                members.push_back({ensemble.members[m].name, sequences.score});
            }
            aggregate_scores(sequences, ensemble_scores(ensemble, raw), aggregate);
        } else {
            aggregate_scores(sequences, score_rows(model, set, options), aggregate);
        }
        return {free_name(model.kind, before),
                reference,
                false,
                sequences.score,
                model.threshold,
                std::move(members)};
    }

    void add_guard_and_baselines(JobContext& context, Evaluation& evaluation, const FeaturesInput& input,
                                 const SequenceScores& sequences, const std::vector<std::size_t>& judged,
                                 std::vector<Candidate>& candidates) const {
        if (!params_.at("baselines").get<bool>() || strings_of(params_, "models").empty()) return;
        context.progress(phase_at("baselines", 0));
        context.check(0, {});
        const UnitFeatures features = unit_features(input.set, sequences);
        for (Candidate& each : candidates) each.follows = followed_features(each.scores, features, judged);
        for (Candidate& each : baselines(evaluation.units, features)) candidates.push_back(std::move(each));
        context.check(0, {});
        evaluation.leak =
            guard_against_leaks(features.rows_of(evaluation.units, learning_units(evaluation.units)),
                                features.rows_of(evaluation.units, judged), features.names, seed());
    }

    std::uint64_t seed() const { return params_.at("seed").get<std::uint64_t>(); }

    void judge_all(JobContext& context, Evaluation& evaluation,
                   const std::vector<Candidate>& candidates) const {
        for (std::size_t i = 0; i < candidates.size(); ++i) {
            context.check(0, {});
            context.progress(
                phase_at("judge", static_cast<double>(i) / static_cast<double>(candidates.size())));
            evaluation.models.push_back(judge(evaluation.units, candidates[i], seed()));
        }
        const auto line = std::find_if(candidates.begin(), candidates.end(), [](const Candidate& each) {
            return each.is_baseline && each.name == kLogisticRegression;
        });
        if (line == candidates.end()) return;
        for (ModelResult& model : evaluation.models) {
            context.check(0, {});
            if (!model.is_baseline)
                model.against_line =
                    compared(evaluation.units, model.scores, {line->name, line->scores}, seed());
        }
    }

    static Table scores_table(const Evaluation& evaluation) {
        const Units& units = evaluation.units;
        Table table;
        if (evaluation.goal == "table") {
            table.add("row", units.name);
        } else {
            table.add("sequence", units.name);
            table.add("frame", std::vector<std::string>(units.size()));
        }
        bool is_first = true;
        for (const ModelResult& model : evaluation.models) {
            if (model.is_baseline) continue;
            table.add(is_first ? "score" : "score_" + model.name, model.scores);
            is_first = false;
        }
        std::vector<std::string> splits;
        for (const Split split : units.split) splits.emplace_back(name_of(split));
        table.add("label", std::vector<double>(units.label.begin(), units.label.end()));
        table.add("split", std::move(splits));
        table.add("group", units.group);
        return table;
    }

    void write(JobContext& context, const Evaluation& evaluation, const FeaturesInput& input) const {
        const std::vector<Finding> findings = findings_of(evaluation);
        std::vector<ReportMap> maps;
        if (input.dataset && !input.set.is_plain()) maps = report_maps(evaluation, *input.dataset);
        write_durably(context.output() / "report.json", report_json(evaluation, findings).dump(1) + "\n");
        write_durably(context.output() / "report.html", report_html(evaluation, findings, maps));
        write_table(scores_table(evaluation), context.output() / "scores.csv", TableFormat::kCsv);
        context.artifact("report.html", "report");
        context.artifact("report.json", "report");
        context.artifact("scores.csv", "table");
        Progress last = phase_at("judge", 1);
        for (const ModelResult& model : evaluation.models) {
            context.log(model.name + ": ROC AUC " + std::to_string(model.roc_auc) + ", recall " +
                        std::to_string(model.confusion.recall()) + ", precision " +
                        std::to_string(model.confusion.precision()));
            if (!model.is_baseline && last.metrics.size() < 16)
                last.metrics.emplace_back(model.name + "_roc_auc", model.roc_auc);
        }
        for (const Finding& finding : findings) {
            if (finding.grade == Finding::Grade::kWarning) context.log("warning: " + finding.en);
        }
        context.progress(last);
    }

    json params_;
};

nlohmann::ordered_json schema() {
    return nlohmann::ordered_json::parse(R"JSON({
        "type": "object",
        "properties": {
            "features": {"type": "string", "x-artifact": "table",
                "description": "Table of features: a file or job:ID", "x-ko": "특징 표: 파일 또는 job:ID"},
            "dataset": {"type": "string", "x-artifact": "dataset",
                "x-ko": "데이터 세트 (라벨·분할·시나리오의 출처, 특징이 없으면 추출)",
                "description": "Data set with labels, splits, scenarios; features are extracted if missing"},
            "models": {
                "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "maxItems": 16}],
                "x-artifact": "model", "description": "Models to judge: folders or job:ID, one or a list",
                "x-ko": "평가할 모델: 폴더 또는 job:ID"},
            "scores": {
                "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "maxItems": 16}],
                "description": "Columns of the table that already are scores", "x-ko": "이미 점수인 열"},
            "label": {"type": "string", "description": "Column with 1 for damaged, 0 for normal",
                "x-ko": "라벨 열 (손상 1, 정상 0)"},
            "group": {"type": "string", "description": "Column that groups rows for the table by scenario",
                "x-ko": "그룹 열"},
            "goal": {"enum": [1, 2, "1", "2", "all", "cpd"], "default": 1, "x-ko": "목표",
                "description": "1: cracks while bending, 2: damage from before, all: both, cpd: events"},
            "protocol": {"type": "string", "enum": ["honest", "compat"], "default": "honest", "x-ko": "절차",
                "description": "honest: sequences, thresholds from validation; compat: as the reference"},
            "aggregate": {"type": "string", "enum": ["max", "top3", "mean"], "default": "max",
                "x-ko": "프레임 점수의 합산", "description": "How the frames of a sequence become one score"},
            "baselines": {"type": "boolean", "default": true, "x-ko": "기준 모델과 누출 검사",
                "description": "Also judge simple baselines and run the leak guard"},
            "seed": {"type": "integer", "default": 42, "minimum": 0,
                "description": "Of intervals and shuffles", "x-ko": "난수 시드"}
        }
    })JSON");
}

}  // namespace

Kind evaluate_kind() {
    Kind kind;
    kind.name = "evaluate";
    kind.job_class = JobClass::kEvaluation;
    kind.summary_en = "Judges models against labels, baselines and leaks, and writes a report";
    kind.summary_ko = "모델을 라벨·기준 모델·누출 검사에 비추어 평가하고 보고서를 씁니다";
    kind.ram = gibibytes(1);
    kind.checkpoint = CheckpointMode::kNone;
    kind.schema = schema;
    kind.artifacts = {
        {"report.html", "the report, one file for any browser", "보고서, 브라우저로 여는 파일 하나"},
        {"report.json", "the same for programs", "같은 내용, 프로그램용"},
        {"scores.csv", "a row a sequence (compat: a row): one score column a model, higher is more unusual",
         "시퀀스(compat: 행)마다 한 행: 모델별 점수 열, 클수록 이상"}};
    kind.make = [](const json& params) { return std::make_unique<Evaluate>(params); };
    return kind;
}

}  // namespace nightshift::jobs
