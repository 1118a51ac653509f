#include "jobs/models/training_rows.h"

#include <algorithm>
#include <string>

#include <nlohmann/json.hpp>

#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {
namespace {

constexpr const char* kNormalGoal = "normal";

std::string choice_of(const FeatureSet& set, const nlohmann::json& params) {
    const auto value = params.find("rows");
    if (value != params.end() && value->is_string()) return value->get<std::string>();
    return set.set.starts_with("compat") ? "goal" : "normal";
}

bool knows_goals(const FeatureSet& set) {
    return std::any_of(set.goal.begin(), set.goal.end(),
                       [](const std::string& goal) { return !goal.empty(); });
}

/// Place in the analysis' order; what belongs to no place is not learned from.
int analysis_place(const FeatureSet& set, std::int64_t row) {
    const auto at = static_cast<std::size_t>(row);
    if (set.scenario[at] == "light_distortion") return 0;
    if (set.scenario[at] == "thick_panel") return 1;
    return set.goal[at] == kNormalGoal ? 2 : 3;
}

}  // namespace

std::vector<std::int64_t> training_rows(const FeatureSet& set, const nlohmann::json& params) {
    std::vector<std::int64_t> rows = normal_training_rows(set);
    const std::string choice = choice_of(set, params);
    if (choice == "normal") return rows;
    if (!knows_goals(set)) {
        // Nothing was asked for, and one's own table in the reference's columns has no goals.
        if (!params.contains("rows")) return rows;
        throw JobError("bad_param", "rows: " + choice + " needs the goal of each sequence, and " +
                                        set.origin +
                                        " says nothing of it; give the dataset that the features came from, "
                                        "or rows: normal");
    }
    const auto place = [&](std::int64_t row) {
        if (choice == "analysis") return analysis_place(set, row);
        return set.goal[static_cast<std::size_t>(row)] == kNormalGoal ? 0 : 3;
    };
    std::erase_if(rows, [&](std::int64_t row) { return place(row) == 3; });
    if (rows.empty()) {
        throw JobError("no_training_rows", set.origin +
                                               " has no sequence of goal normal in its training split; give "
                                               "features of a data set with some, or rows: normal");
    }
    std::stable_sort(rows.begin(), rows.end(),
                     [&](std::int64_t a, std::int64_t b) { return place(a) < place(b); });
    return rows;
}

nlohmann::ordered_json training_rows_schema() {
    return {
        {"type", "string"},
        {"enum", {"normal", "goal", "analysis"}},
        {"x-ko", "학습할 행; 기본: 기준 프로그램의 특징이면 goal, 아니면 normal"},
        {"description",
         "normal: every undamaged row; goal: sequences of goal normal alone, as the reference's scripts; "
         "analysis: as its later analysis, with thick panels. Default: goal for its features, else normal"}};
}

}  // namespace nightshift::jobs
