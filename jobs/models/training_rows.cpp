#include "jobs/models/training_rows.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "jobs/runtime/job_impl.h"
#include "jobs/runtime/text_param.h"

namespace nightshift::jobs {
namespace {

using nlohmann::json;

constexpr const char* kNormalGoal = "normal";
/// Place of a row that is not learned from.
constexpr int kNowhere = 3;

std::string choice_of(const FeatureSet& set, const json& params) {
    const std::string choice = text_param(params, "rows");
    if (!choice.empty()) return choice;
    return set.set.starts_with("compat") ? "goal" : "normal";
}

/// Leaves out what the column calls damaged.
void leave_out(std::vector<std::int64_t>& rows, const FeaturesInput& input, const std::string& column) {
    const std::vector<double> labels = input.table.numbers(column);
    for (std::size_t r = 0; r < labels.size(); ++r) {
        if (labels[r] == 0 || labels[r] == 1 || std::isnan(labels[r])) continue;
        throw JobError("bad_table", input.set.origin + ": row " + std::to_string(r) + ", column '" + column +
                                        "' holds " + std::to_string(labels[r]) +
                                        "; a label is 1 for damaged, 0 for normal, or empty");
    }
    std::erase_if(rows, [&](std::int64_t row) { return labels[static_cast<std::size_t>(row)] == 1; });
    if (!rows.empty()) return;
    throw JobError("no_training_rows", input.set.origin + ": column '" + column +
                                           "' leaves no normal row to learn from; 1 stands for damaged");
}

bool knows_goals(const FeatureSet& set) {
    return std::any_of(set.goal.distinct().begin(), set.goal.distinct().end(),
                       [](const std::string& goal) { return !goal.empty(); });
}

int analysis_place(const FeatureSet& set, std::size_t row) {
    if (set.scenario[row] == "light_distortion") return 0;
    if (set.scenario[row] == "thick_panel") return 1;
    return set.goal[row] == kNormalGoal ? 2 : kNowhere;
}

/// Keeps what the reference learns from, in its order.
void choose_goal(std::vector<std::int64_t>& rows, const FeatureSet& set, bool is_analysis) {
    const auto place = [&](std::int64_t row) {
        const auto at = static_cast<std::size_t>(row);
        if (is_analysis) return analysis_place(set, at);
        return set.goal[at] == kNormalGoal ? 0 : kNowhere;
    };
    std::erase_if(rows, [&](std::int64_t row) { return place(row) == kNowhere; });
    std::stable_sort(rows.begin(), rows.end(),
                     [&](std::int64_t a, std::int64_t b) { return place(a) < place(b); });
    if (!rows.empty()) return;
    throw JobError("no_training_rows", set.origin +
                                           " has no sequence of goal normal in its training split; give "
                                           "features of a data set with some, or rows: normal");
}

nlohmann::ordered_json table_roles_schema() {
    return nlohmann::ordered_json::parse(R"JSON({
        "label": {"type": "string", "x-ko": "자체 표의 라벨 열 (손상 1은 학습에서 제외, 정상 0)",
            "description": "Column of your own table: 1 for damaged rows, which are left out, 0 for normal"},
        "group": {"type": "string", "x-ko": "그룹 이름 열 (특징으로 쓰지 않음)",
            "description": "Column that names a row's group and is no feature"}
    })JSON");
}

}  // namespace

ColumnChoice training_columns(const json& params) {
    ColumnChoice choice{params.value("columns", std::vector<std::string>{}), {}, {}};
    for (const char* name : {"label", "group"}) {
        if (std::string column = text_param(params, name); !column.empty())
            choice.without.push_back(std::move(column));
    }
    choice.also = choice.without;
    return choice;
}

std::vector<std::int64_t> training_rows(const FeaturesInput& input, const json& params) {
    const FeatureSet& set = input.set;
    std::vector<std::int64_t> rows = normal_training_rows(set);
    if (const std::string column = text_param(params, "label"); !column.empty())
        leave_out(rows, input, column);
    const std::string choice = choice_of(set, params);
    if (choice == "normal") return rows;
    if (!knows_goals(set)) {
        // Nothing was asked for, and one's own table in the reference's columns has no goals.
        if (text_param(params, "rows").empty()) return rows;
        throw JobError("bad_param", "rows: " + choice + " needs the goal of each sequence, and " +
                                        set.origin +
                                        " says nothing of it; give the dataset that the features came from, "
                                        "or rows: normal");
    }
    choose_goal(rows, set, choice == "analysis");
    return rows;
}

nlohmann::ordered_json rows_schema() {
    return {
        {"type", "string"},
        {"enum", {"normal", "goal", "analysis"}},
        {"x-ko", "학습할 행; 기본: 기준 프로그램의 특징이면 goal, 아니면 normal"},
        {"description",
         "normal: every undamaged row; goal: sequences of goal normal alone, as the reference's scripts; "
         "analysis: as its later analysis, with thick panels. Default: goal for its features, else normal"}};
}

nlohmann::ordered_json one_class_schema(const nlohmann::ordered_json& own, bool knows_table_roles) {
    auto properties = nlohmann::ordered_json::parse(R"JSON({
        "features": {"type": "string", "x-artifact": "table",
            "description": "Table of features: a file or job:ID", "x-ko": "특징 표: 파일 또는 job:ID"},
        "dataset": {"type": "string", "x-artifact": "dataset", "x-ko": "데이터 세트 (분할과 라벨의 출처)",
            "description": "Data set that says what to train on; without it the table's own columns do"},
        "columns": {"type": "array", "items": {"type": "string"}, "x-ko": "쓸 열; 없으면 모든 숫자 열",
            "description": "Columns to use; every numeric column without it"}
    })JSON");
    properties.update(own);
    properties.update(nlohmann::ordered_json::parse(R"JSON({
        "normalize": {"type": "boolean", "x-ko": "정규화; 기본: 시퀀스 행이면 함",
            "description": "z-scores by the training rows; default: for rows of sequences"}
    })JSON"));
    properties["rows"] = rows_schema();
    if (knows_table_roles) properties.update(table_roles_schema());
    return {{"type", "object"}, {"required", {"features"}}, {"properties", properties}};
}

}  // namespace nightshift::jobs
