#include "jobs/cpd/evaluate_cpd.h"

#include <algorithm>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "jobs/cpd/event_detectors.h"
#include "jobs/cpd/event_report.h"
#include "jobs/cpd/reference_goal.h"
#include "jobs/fpcb/dataset.h"
#include "jobs/runtime/durable_file.h"
#include "jobs/runtime/phase.h"
#include "jobs/runtime/spread.h"
#include "jobs/table/table.h"

namespace nightshift::jobs {
namespace {

using nlohmann::json;

constexpr double kFalseAlarms = .01;
constexpr std::size_t kNormalsMin = 20;

std::function<void(std::size_t)> reporter(JobContext& context, std::size_t total) {
    return [&context, total](std::size_t done) {
        const Progress progress = step_of("detect", done, total);
        context.progress(progress);
        context.check(progress.step, {});
    };
}

/// Units of everything that can be looked at, and what their tracks say.
struct Found {
    std::vector<EventUnit> units;
    std::vector<TrackEvents> events;
    std::size_t too_short = 0;
};

Found find_events(JobContext& context, const Dataset& dataset) {
    Found out;
    std::vector<std::size_t> which;
    for (std::size_t i = 0; i < dataset.size(); ++i) {
        if (!can_have_event(dataset.info(i))) {
            ++out.too_short;
            continue;
        }
        which.push_back(i);
        out.units.push_back(event_unit(dataset.info(i)));
    }
    out.events.resize(which.size());
    spread(
        which.size(), context.threads(),
        [&](std::size_t k) { out.events[k] = track_events(dataset.read(which[k])); },
        reporter(context, which.size()));
    return out;
}

void require_units(const Found& found, const std::string& source) {
    const auto judged = judged_events(found.units);
    const auto damaged = std::count_if(judged.begin(), judged.end(),
                                       [&](std::size_t u) { return found.units[u].is_damaged(); });
    const std::size_t learning = learning_normals(found.units).size();
    if (damaged > 0 && learning >= kNormalsMin) return;
    throw JobError("no_labels", source + " has " + std::to_string(damaged) +
                                    " damaged sequences with a known event frame to judge and " +
                                    std::to_string(learning) +
                                    " normal ones to take a threshold from; 1 and " +
                                    std::to_string(kNormalsMin) +
                                    " are needed. Use a data set of kind generate, or a larger one");
}

Table scores_table(const Found& found, const EventDetector& detector) {
    std::vector<std::string> sequence, split, scenario;
    std::vector<double> frame, label, event;
    for (std::size_t u = 0; u < found.units.size(); ++u) {
        const EventUnit& unit = found.units[u];
        sequence.push_back(unit.name);
        frame.push_back(detector.frame[u]);
        label.push_back(unit.label);
        event.push_back(unit.event);
        split.emplace_back(name_of(unit.split));
        scenario.push_back(unit.scenario);
    }
    Table table;
    table.add("sequence", std::move(sequence));
    table.add("frame", std::move(frame));
    table.add("score", detector.score);
    table.add("label", std::move(label));
    table.add("event_frame", std::move(event));
    table.add("split", std::move(split));
    table.add("scenario", std::move(scenario));
    return table;
}

void write_report(JobContext& context, const nlohmann::ordered_json& report, const std::string& page,
                  const Table& scores) {
    write_durably(context.output() / "report.json", report.dump(1) + "\n");
    write_durably(context.output() / "report.html", page);
    write_table(scores, context.output() / "scores.csv", TableFormat::kCsv);
    context.artifact("report.html", "report");
    context.artifact("report.json", "report");
    context.artifact("scores.csv", "table");
}

void evaluate_honestly(JobContext& context, const Dataset& dataset, const json& params) {
    const Found found = find_events(context, dataset);
    EventReport report;
    report.source = params.at("dataset").get<std::string>();
    require_units(found, report.source);
    report.rate = kFalseAlarms;
    report.too_short = found.too_short;
    report.learning = learning_normals(found.units).size();
    report.has_split = has_splits(found.units);
    const auto detectors = event_detectors(found.units, found.events, params.at("seed").get<std::uint64_t>());
    for (const EventDetector& each : detectors)
        report.rates.push_back(judge_events(found.units, each, kFalseAlarms));
    report.units = found.units;
    report.frame = detectors.front().frame;
    report.score = detectors.front().score;
    write_report(context, event_report_json(report), event_report_html(report),
                 scores_table(found, detectors.front()));
    for (const EventRates& each : report.rates) {
        const auto of = [](std::int64_t part, const EventCounts& whole) {
            return std::to_string(part) + "/" + std::to_string(whole.count);
        };
        context.log(each.name + ": within " + std::to_string(kEventReach) + " frames " +
                    of(each.damaged.within, each.damaged) + ", alarmed too " +
                    of(each.damaged.alarmed_within, each.damaged) + ", false alarms " +
                    of(each.normal.alarmed, each.normal));
    }
}

void evaluate_as_reference(JobContext& context, const Dataset& dataset, const json& params) {
    std::vector<std::size_t> which;
    for (std::size_t i = 0; i < dataset.size(); ++i) {
        const SequenceInfo& info = dataset.info(i);
        if (info.goal == "goal1" && info.frames > 0 && info.points > 0) which.push_back(i);
    }
    if (which.empty()) {
        throw JobError("no_labels", params.at("dataset").get<std::string>() +
                                        " has no sequence of goal1, which protocol compat looks at; use "
                                        "protocol honest, or a data set with cracks");
    }
    std::vector<ReferenceCase> cases(which.size());
    spread(
        which.size(), context.threads(),
        [&](std::size_t k) {
            const Sequence sequence = dataset.read(which[k]);
            cases[k] = {peak_acceleration(sequence), reference_crack_frame(sequence)};
        },
        reporter(context, which.size()));
    const nlohmann::ordered_json report = reference_cpd_report(cases);
    Table scores;
    std::vector<std::string> sequence;
    std::vector<double> frame, error;
    for (const auto& row : report.at("results")) {
        if (row.at("best_match").is_null()) continue;
        sequence.push_back(row.at("path").get<std::string>());
        frame.push_back(row.at("best_match").get<double>());
        error.push_back(row.at("error_frames").get<double>());
    }
    scores.add("sequence", std::move(sequence));
    scores.add("frame", std::move(frame));
    scores.add("score", std::move(error));
    write_report(context, report, reference_report_html(params.at("dataset").get<std::string>(), report),
                 scores);
    context.log("mean error " + report.at("mean_error_frames").dump() + " frames, within 5 frames " +
                report.at("within_5_frames_pct").dump() +
                " %; the nearest of many alarms is counted, so this says nothing about a detector");
}

}  // namespace

void evaluate_cpd(JobContext& context, const json& params) {
    const auto given = params.find("dataset");
    if (given == params.end() || !given->is_string() || given->get_ref<const std::string&>().empty()) {
        throw JobError("missing_param",
                       "goal cpd looks at tracks: give dataset (a folder or job:ID of generate or import)");
    }
    const auto dataset = open_dataset(context.input(given->get<std::string>(), "dataset"));
    if (params.at("protocol") == "compat")
        evaluate_as_reference(context, *dataset, params);
    else
        evaluate_honestly(context, *dataset, params);
}

}  // namespace nightshift::jobs
