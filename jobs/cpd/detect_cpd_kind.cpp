#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "jobs/cpd/cpd_schema.h"
#include "jobs/cpd/cpd_settings.h"
#include "jobs/cpd/detect_output.h"
#include "jobs/cpd/detect_report.h"
#include "jobs/cpd/event_detectors.h"
#include "jobs/cpd/event_rates.h"
#include "jobs/cpd/series.h"
#include "jobs/fpcb/frame_metrics.h"
#include "jobs/kinds.h"
#include "jobs/runtime/phase.h"
#include "jobs/runtime/spread.h"
#include "jobs/runtime/text_param.h"
#include "jobs/table/table_reader.h"
#include "kernels/panel_event.h"

namespace nightshift::jobs {
namespace {

using nlohmann::json;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
/// PELT takes quadratic time where nothing changes: about 10 s at this length.
constexpr std::size_t kPeltSamplesMax = 200'000;
constexpr std::size_t kNormalsMin = 20;

std::vector<std::string> columns_of(const json& params) {
    const auto value = params.find("column");
    if (value == params.end() || value->is_null())
        throw JobError("missing_param", "table is given without column; name the column with the signal");
    if (value->is_string()) return {value->get<std::string>()};
    return value->get<std::vector<std::string>>();
}

kernels::Combine combine_of(const json& params) {
    const auto word = params.at("combine").get<std::string>();
    return word == "intersection" ? kernels::Combine::kIntersection
           : word == "majority"   ? kernels::Combine::kMajority
                                  : kernels::Combine::kUnion;
}

const char* name_of(CpdMethod method) {
    constexpr const char* kNames[] = {"event", "cusum", "window", "pelt"};
    return kNames[static_cast<std::size_t>(method)];
}

class DetectCpd final : public JobImpl {
  public:
    explicit DetectCpd(json params)
        : params_(std::move(params)),
          has_dataset_(!text_param(params_, "dataset").empty()),
          settings_(cpd_settings(params_, has_dataset_)) {
        if (const std::string signal = text_param(params_, "signal"); !signal.empty()) {
            if (!has_dataset_ || settings_.is_compat || settings_.method == CpdMethod::kEvent) {
                throw JobError("bad_param",
                               "signal chooses what cusum, window and pelt search of a dataset without "
                               "compat; leave it out, or give dataset and one of these methods");
            }
            on_acceleration_ = signal == "acceleration_max";
        }
        if (has_dataset_ != text_param(params_, "table").empty()) {
            throw JobError("missing_param",
                           "give either dataset, or table with column: a folder, a file or job:ID");
        }
    }

    void run(JobContext& context) override {
        facts_.source = text_param(params_, has_dataset_ ? "dataset" : "table");
        facts_.method = std::string(name_of(settings_.method)) + (settings_.is_compat ? " (compat)" : "");
        facts_.threshold = kNaN;
        if (has_dataset_)
            search_dataset(context);
        else
            search_table(context);
    }

  private:
    /// Where the event method looks: the likeliest frame, and how surely something happened there.
    using Onset = DetectedEvent;

    /// One searched sequence.
    struct Searched {
        Detected detected;
        DetectedSeries series;
        Onset onset;
    };

    /// Reports and, once the work has to end, raises the flag that long searches look at.
    std::function<void(std::size_t)> reporter(JobContext& context, std::size_t count) {
        return [this, &context, count](std::size_t done) {
            const Progress progress = step_of("detect", done, count);
            context.progress(progress);
            try {
                context.check(progress.step, {});
            } catch (...) {
                is_over_ = true;
                throw;
            }
        };
    }

    CpdResult search(const std::vector<double>& values) const {
        if (settings_.method == CpdMethod::kPelt && values.size() > kPeltSamplesMax) {
            throw JobError("too_long", "method=pelt takes series of up to " +
                                           std::to_string(kPeltSamplesMax) + " samples, this one has " +
                                           std::to_string(values.size()) +
                                           "; use cusum or window, or split it with group");
        }
        return detect_changes(values, settings_, [this] { return is_over_.load(); });
    }

    void search_table(JobContext& context) {
        const std::vector<std::string> columns = columns_of(params_);
        const auto table = TableReader::open(context.input(text_param(params_, "table"), "table"));
        std::vector<Series> series = series_of_table(*table, columns, text_param(params_, "group"));
        for (const std::string& column : columns)
            facts_.signal += (facts_.signal.empty() ? "" : " + ") + column;
        std::vector<CpdResult> results(series.size());
        spread(
            series.size(), context.threads(), [&](std::size_t i) { results[i] = search(series[i].values); },
            reporter(context, series.size()));
        std::map<std::string, std::vector<std::size_t>> by_sequence;
        std::vector<std::string> order;
        for (std::size_t i = 0; i < series.size(); ++i) {
            auto& members = by_sequence[series[i].sequence];
            if (members.empty()) order.push_back(series[i].sequence);
            members.push_back(i);
        }
        DetectOutput output(context.output());
        std::vector<Detected> found;
        std::vector<DetectedSeries> kept;
        for (const std::string& name : order) {
            Searched one = combined(series, results, by_sequence.at(name), columns.size());
            output.add(name, one.series);
            found.push_back(std::move(one.detected));
            kept.push_back(std::move(one.series));
        }
        finish(context, output, found, [&](std::size_t i) { return kept[i]; });
    }

    /// Several columns of one sequence: a frame counts as `combine` says, with the largest of their scores.
    /// Takes a single column's series and result away.
    Searched combined(std::vector<Series>& series, std::vector<CpdResult>& results,
                      const std::vector<std::size_t>& members, std::size_t columns) const {
        Series& first = series[members.front()];
        Searched out;
        out.detected.sequence = first.sequence;
        if (columns == 1) {
            CpdResult& only = results[members.front()];
            out.detected.events = named(only.events, first.frames);
            out.series = {std::move(first.frames), std::move(first.values), std::move(only.scores)};
            return out;
        }
        std::map<long long, double> scores, signal;
        std::vector<std::vector<std::int64_t>> lists(columns);
        for (std::size_t k = 0; k < members.size(); ++k) {
            const Series& one = series[members[k]];
            const CpdResult& result = results[members[k]];
            for (std::size_t i = 0; i < one.frames.size(); ++i) {
                signal.try_emplace(one.frames[i], one.values[i]);
                auto& score = scores.try_emplace(one.frames[i], kNaN).first->second;
                if (std::isnan(score) || result.scores[i] > score) score = result.scores[i];
            }
            for (const CpdEvent& event : result.events)
                lists[k].push_back(static_cast<std::int64_t>(one.frames[event.index]));
        }
        std::map<long long, std::size_t> at;
        for (const auto& [frame, score] : scores) {
            at[frame] = out.series.frames.size();
            out.series.frames.push_back(frame);
            out.series.values.push_back(signal.at(frame));
            out.series.scores.push_back(score);
        }
        for (const std::int64_t frame : kernels::combine_changes(lists, combine_of(params_)))
            out.detected.events.push_back({at.at(frame), frame, scores.at(frame)});
        return out;
    }

    static std::vector<DetectedEvent> named(const std::vector<CpdEvent>& events,
                                            const std::vector<long long>& frames) {
        std::vector<DetectedEvent> out;
        for (const CpdEvent& event : events) out.push_back({event.index, frames[event.index], event.score});
        return out;
    }

    void search_dataset(JobContext& context) {
        const auto dataset = open_dataset(context.input(text_param(params_, "dataset"), "dataset"));
        facts_.signal = settings_.is_compat || on_acceleration_ ? "acceleration_max" : "evidence";
        std::vector<std::size_t> which;
        for (std::size_t i = 0; i < dataset->size(); ++i) {
            const SequenceInfo& info = dataset->info(i);
            if (settings_.is_compat ? info.frames > 0 && info.points > 0 : can_have_event(info))
                which.push_back(i);
        }
        if (which.size() < dataset->size()) {
            context.log("warning: " + std::to_string(dataset->size() - which.size()) +
                        " sequences are too short to look at and have no rows");
        }
        DetectOutput output(context.output());
        std::vector<Detected> found;
        std::vector<Onset> onsets;
        const auto frames_of = [&](std::size_t k) {
            return static_cast<std::size_t>(dataset->info(which[k]).frames);
        };
        const auto make = [&](std::size_t k) { return of_sequence(dataset->read(which[k])); };
        const auto take = [&](std::size_t, std::vector<Searched> some) {
            for (Searched& one : some) {
                output.add(one.detected.sequence, one.series);
                found.push_back(std::move(one.detected));
                onsets.push_back(one.onset);
            }
        };
        spread_in_stretches<Searched>(which.size(), context.threads(), frames_of, kPieceRows, make, take,
                                      reporter(context, which.size()));
        if (settings_.method == CpdMethod::kEvent) raise_alarms(context, *dataset, which, onsets, found);
        // The few that are drawn are searched again: that is nothing beside keeping all of them.
        finish(context, output, found, [&](std::size_t k) { return make(k).series; });
    }

    Searched of_sequence(const Sequence& sequence) const {
        Searched out;
        out.detected.sequence = sequence.info.name;
        out.detected.scenario = sequence.info.scenario;
        if (sequence.info.event_frame < sequence.info.frames)
            out.detected.true_event = sequence.info.event_frame;
        out.series.frames.assign(sequence.frame_number.begin(), sequence.frame_number.end());
        if (settings_.is_compat || on_acceleration_) {
            out.series.values = peak_acceleration(sequence).values;
        } else {
            kernels::PanelEvent event = kernels::panel_event(view_of(sequence));
            const auto index = static_cast<std::size_t>(event.frame);
            out.onset = {index, out.series.frames[index], event.score};
            out.series.values = std::move(event.evidence);
        }
        if (settings_.method == CpdMethod::kEvent) {
            out.series.scores = out.series.values;
            return out;
        }
        CpdResult result = search(out.series.values);
        out.series.scores = std::move(result.scores);
        out.detected.events = named(result.events, out.series.frames);
        return out;
    }

    void raise_alarms(JobContext& context, const Dataset& dataset, const std::vector<std::size_t>& which,
                      const std::vector<Onset>& onsets, std::vector<Detected>& out) {
        std::vector<EventUnit> units;
        for (const std::size_t i : which) units.push_back(event_unit(dataset.info(i)));
        std::vector<double> normal_scores;
        for (const std::size_t u : learning_normals(units)) normal_scores.push_back(onsets[u].score);
        const std::string count = std::to_string(normal_scores.size());
        if (settings_.threshold) {
            facts_.threshold = *settings_.threshold;
        } else if (normal_scores.size() >= kNormalsMin) {
            facts_.threshold = alarm_threshold(std::move(normal_scores), settings_.false_alarms);
            facts_.threshold_note_en = "The threshold comes from " + count + " normal sequences.";
            facts_.threshold_note_ko = "임계값은 정상 시퀀스 " + count + "개에서 구했습니다.";
        } else {
            facts_.threshold = 0;
            facts_.threshold_note_en = "Too few normal sequences (" + count +
                                       ") to take a threshold from: the likeliest frame of "
                                       "every sequence is listed. Give threshold to keep the surer ones.";
            facts_.threshold_note_ko =
                "정상 시퀀스가 " + count +
                "개뿐이어서 모든 시퀀스의 가장 그럴듯한 프레임을 적습니다. 확실한 것만 "
                "보려면 threshold를 주십시오.";
        }
        context.log("threshold " + std::to_string(facts_.threshold) + ". " + facts_.threshold_note_en);
        for (std::size_t k = 0; k < out.size(); ++k) {
            if (onsets[k].score > facts_.threshold) out[k].events.push_back(onsets[k]);
        }
    }

    void finish(JobContext& context, DetectOutput& output, const std::vector<Detected>& found,
                const std::function<DetectedSeries(std::size_t)>& series_of) const {
        const std::size_t events = output.finish(found, series_of, facts_);
        context.artifact("events.csv", "table");
        context.artifact("scores.csv", "file");
        context.artifact("report.html", "report");
        context.log(std::to_string(events) + " change points in " + std::to_string(found.size()) +
                    (found.size() == 1 ? " sequence" : " sequences"));
    }

    json params_;
    bool has_dataset_;
    bool on_acceleration_ = false;
    CpdSettings settings_;
    DetectFacts facts_;
    std::atomic<bool> is_over_{false};
};

}  // namespace

Kind detect_cpd_kind() {
    Kind kind;
    kind.name = "detect.cpd";
    kind.job_class = JobClass::kEvaluation;
    kind.summary_en =
        "Finds when something changed: CUSUM, windows, PELT, or the onset of damage from tracks";
    kind.summary_ko = "변화 시점을 찾습니다: CUSUM, 윈도, PELT 또는 궤적의 손상 시작점";
    kind.ram = mebibytes(512);
    kind.checkpoint = CheckpointMode::kNone;
    kind.schema = cpd_schema;
    kind.artifacts = {
        {"events.csv", "a row a change: sequence, frame, score", "변화마다 한 행: 시퀀스, 프레임, 점수"},
        {"scores.csv", "a row a frame: what the detector saw", "프레임마다 한 행: 검출기의 값"},
        {"report.html", "the report, one file for any browser", "보고서, 브라우저로 여는 파일 하나"}};
    kind.make = [](const json& params) { return std::make_unique<DetectCpd>(params); };
    return kind;
}

}  // namespace nightshift::jobs
