#include "jobs/evaluate/compat_run.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "jobs/models/free_name.h"
#include "jobs/models/score_table.h"
#include "jobs/models/scorer.h"
#include "jobs/runtime/durable_file.h"

namespace nightshift::jobs {
void run_compat(JobContext& context, const std::string& goal, const FeaturesInput& input,
                const std::vector<Model>& models, const std::vector<std::string>& references,
                const std::vector<CompatModel>& columns) {
    const FeatureSet& rows = input.set;
    if (goal != "1" && goal != "2") {
        throw JobError("unsupported_param", "protocol compat knows the goals 1 and 2, not '" + goal +
                                                "'; use protocol honest for the others");
    }
    if (rows.is_plain()) {
        throw JobError("bad_param",
                       rows.origin +
                           " has no sequence column, so the reference's protocol cannot tell which "
                           "rows belong together; give dataset, or use protocol honest");
    }
    std::vector<CompatModel> all = columns;
    for (std::size_t i = 0; i < models.size(); ++i) {
        all.push_back(
            {free_name(compat_name(models[i].kind), all),
             score_rows(models[i], rows, score_options(context, references[i], input.dataset.get()))});
    }
    const auto report = compat_report(goal == "1" ? 1 : 2, rows, all);
    write_durably(context.output() / "report.json", report.dump(2) + "\n");
    std::vector<ScoreColumn> scores;
    for (const CompatModel& model : all)
        scores.push_back({scores.empty() ? "score" : "score_" + model.name, model.scores});
    write_scores(context.output() / "scores.csv", rows, scores, true);
    context.artifact("report.json", "report");
    context.artifact("scores.csv", "table");
    if (const auto analysis = compat_analysis(rows, all); goal == "1" && !analysis.empty()) {
        write_durably(context.output() / "analysis.json", analysis.dump(2) + "\n");
        context.artifact("analysis.json", "report");
    }
    context.log("judged as the reference does, on rows and with thresholds from the test rows: " +
                report.at("models").dump());
}

}  // namespace nightshift::jobs
