#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "jobs/cpd/cpd_settings.h"
#include "jobs/cpd/event_detectors.h"
#include "jobs/cpd/series.h"
#include "jobs/fpcb/frame_metrics.h"
#include "jobs/optimize/cpd_objective.h"
#include "jobs/optimize/judged_dataset.h"
#include "jobs/optimize/target.h"
#include "jobs/table/table.h"
#include "kernels/panel_event.h"

namespace nightshift::jobs {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr long long kReferenceReach = 5;  ///< frames around the event, as the reference's evaluation counts
constexpr const char* kSlack = "sensitivity_std";
/// What detect.cpd searches of a data set, and the reference's signal.
constexpr const char* kSignals[] = {"evidence", "acceleration_max"};

bool is_compat(const json& params) {
    return params.value("compat", false);
}

std::string detector_of(const json& params) {
    return params.value("detector", "cusum");
}

SearchSpace space(const json& params) {
    using Kind = Dimension::Kind;
    const std::string detector = detector_of(params);
    const Dimension min_size{"min_size", Kind::kInteger, 1, 5, false, 1, {}, 1, 1000};
    const Dimension signal{"signal", Kind::kChoice, 0, 1, false, 2, {kSignals[0], kSignals[1]}};
    if (is_compat(params)) {
        // The reference's grids; its PELT has none.
        if (detector == "cusum") {
            return {{"threshold", Kind::kReal, .5, 10, false, 10, {}, 0, 1e9},
                    {kSlack, Kind::kReal, .1, 2, false, 10, {}, 0, 1e3}};
        }
        if (detector == "window") {
            return {{"window_size", Kind::kInteger, 5, 19, false, 8, {}, 2, 1000},
                    {"threshold_ratio", Kind::kReal, 1.2, 3, false, 10, {}, 0, 1e6}};
        }
        return {{"pen", Kind::kReal, .1, 1e9, true, 11, {}, 1e-6, 1e15},
                {"jump", Kind::kInteger, 1, 5, false, 2, {}, 1, 1000},
                min_size};
    }
    if (detector == "cusum") {
        return {signal,
                {"threshold", Kind::kReal, 2, 256, true, 11, {}, 1e-3, 1e6},
                {"sensitivity", Kind::kReal, .25, 4, true, 9, {}, 1e-3, 1e3},
                min_size};
    }
    if (detector == "window") {
        return {signal,
                {"window_size", Kind::kInteger, 2, 16, false, 8, {}, 2, 1000},
                {"threshold_ratio", Kind::kReal, 2, 256, true, 9, {}, 1e-3, 1e6},
                min_size};
    }
    return {signal, {"pen", Kind::kReal, 1, 1e9, true, 19, {}, 1e-6, 1e15}, min_size};
}

CpdSettings settings_of(const json& params, const ordered_json& point) {
    json given = point;
    given["compat"] = is_compat(params);
    given["method"] = detector_of(params);
    return cpd_settings(given, true);
}

/// Ours: judged against true event frames.
class CpdTarget final : public Target {
  public:
    CpdTarget(const json& params, const SearchSpace& searched, JobContext& context)
        : params_(params),
          searched_(searched),
          data_(params, context, is_used, JudgedDataset::Classes::kBoth),
          evidence_(data_.size()),
          acceleration_(data_.size()) {}

    bool prepare(JobContext& context) override {
        return data_.read_once(context, [this](std::size_t u, const Sequence& sequence) {
            evidence_[u] = judged(sequence, kernels::panel_event(view_of(sequence)).evidence);
            acceleration_[u] = judged(sequence, peak_acceleration(sequence).values);
        });
    }

    std::optional<double> value(const Point& point, JobContext& context) override {
        const auto share = judge(data_.tuned(), to_json(searched_, point), context);
        return share ? std::optional(share->gain()) : std::nullopt;
    }

    std::string metric() const override {
        return "share of damaged " + data_.tuned_words() +
               " sequences whose surest change point is at most " + std::to_string(kEventReach) +
               " frames off the event, less the share of normal ones with any";
    }

    std::optional<ordered_json> verdict(const Point& best, JobContext& context) override {
        const ordered_json point = to_json(searched_, best);
        const auto tuned = judge(data_.tuned(), point, context);
        const auto judged = judge(data_.held_out(), point, context);
        const auto defaults = judge(data_.held_out(), ordered_json::object(), context);
        if (!tuned || !judged || !defaults) return std::nullopt;
        ordered_json out{{"tuned", shares(*tuned)}, {"test", data_.verdict()}};
        if (data_.held_out().empty()) return out;
        out["test"].update(shares(*judged));
        out["test_defaults"] = shares(*defaults);
        return out;
    }

  private:
    static bool is_used(const SequenceInfo& info) {
        const EventUnit unit = event_unit(info);
        return can_have_event(info) && (unit.is_damaged() || unit.is_normal());
    }

    static ordered_json shares(const EventShare& share) {
        const auto rate = [](std::int64_t of, double value) {
            return of == 0 ? ordered_json() : ordered_json(value);
        };
        return {{"damaged", share.damaged},
                {"within_2_frames", rate(share.damaged, share.hit_rate())},
                {"normal", share.normal},
                {"false_alarm_rate", rate(share.normal, share.false_alarm_rate())},
                {"value", rate(std::min(share.damaged, share.normal), share.gain())}};
    }

    std::optional<EventShare> judge(const std::vector<std::size_t>& members, const ordered_json& point,
                                    JobContext& context) const {
        const bool is_evidence = point.value("signal", std::string(kSignals[0])) == kSignals[0];
        return judge_series(is_evidence ? evidence_ : acceleration_, members, settings_of(params_, point),
                            [&] { return context.stop_requested(); });
    }

    static JudgedSeries judged(const Sequence& sequence, std::vector<double> values) {
        JudgedSeries out;
        out.values = std::move(values);
        for (std::size_t f = 0; f < out.values.size(); ++f) out.frames.push_back(static_cast<long long>(f));
        out.is_damaged = sequence.info.label == 1;
        out.event = sequence.info.event_frame;
        return out;
    }

    json params_;
    SearchSpace searched_;
    JudgedDataset data_;
    std::vector<JudgedSeries> evidence_, acceleration_;  ///< of each used sequence
};

/// The reference's: any alarm in the expected range counts, so a detector that always alarms is perfect.
class ReferenceCpdTarget final : public Target {
  public:
    ReferenceCpdTarget(const json& params, const SearchSpace& searched, JobContext& context)
        : params_(params), searched_(searched) {
        if (params.contains("table") == params.contains("dataset")) {
            throw JobError("missing_param",
                           "target=cpd with compat needs either dataset, or table with column");
        }
        if (params.contains("table"))
            take_table(context);
        else
            data_.emplace(params, context, is_used, JudgedDataset::Classes::kDamaged);
    }

    bool prepare(JobContext& context) override {
        if (!data_) return true;
        series_.resize(data_->size());
        return data_->read_once(context, [this](std::size_t u, const Sequence& sequence) {
            const auto event = static_cast<std::size_t>(sequence.info.event_frame);
            series_[u] = judged(peak_acceleration(sequence), sequence.frame_number[event]);
        });
    }

    std::optional<double> value(const Point& point, JobContext& context) override {
        const ordered_json named = to_json(searched_, point);
        const auto slack = named.find(kSlack);
        return reference_hit_rate(series_, settings_of(params_, named),
                                  slack == named.end() ? std::nullopt : std::optional(slack->get<double>()),
                                  [&] { return context.stop_requested(); });
    }

    std::string metric() const override {
        return "share of signals with any change point in the expected range, which an alarm everywhere hits";
    }

    std::optional<ordered_json> verdict(const Point& best, JobContext&) override {
        ordered_json detect{{"method", detector_of(params_)}, {"compat", true}};
        detect.update(to_json(searched_, best));
        if (const auto slack = detect.find(kSlack); slack != detect.end()) {
            if (series_.size() > 1) return ordered_json();
            const double sensitivity = slack->get<double>() * series_.front().deviation;
            detect.erase(kSlack);
            detect["sensitivity"] = sensitivity;
        }
        return ordered_json{{"detect", detect}};
    }

  private:
    static bool is_used(const SequenceInfo& info) {
        return event_unit(info).is_damaged() && info.event_frame < info.frames && info.points > 0;
    }

    void take_table(JobContext& context) {
        const auto column = params_.find("column");
        if (column == params_.end())
            throw JobError("missing_param", "table is given without column; name the column with the signal");
        const auto table = TableReader::open(context.input(params_.at("table").get<std::string>(), "table"));
        for (Series& each : series_of_table(*table, {column->get<std::string>()}, ""))
            series_.push_back(judged(std::move(each), std::nullopt));
    }

    JudgedSeries judged(Series series, std::optional<long long> event) const {
        JudgedSeries out;
        out.values = std::move(series.values);
        out.frames = std::move(series.frames);
        out.is_damaged = true;
        out.deviation = series_deviation(out.values);
        if (event) out.first = *event - kReferenceReach, out.last = *event + kReferenceReach;
        if (const auto range = params_.find("expected_range"); range != params_.end()) {
            out.first = range->at(0).get<long long>();
            out.last = range->at(1).get<long long>();
        }
        return out;
    }

    json params_;
    SearchSpace searched_;
    std::optional<JudgedDataset> data_;  ///< none for a table
    std::vector<JudgedSeries> series_;
};

std::unique_ptr<Target> make(const json& params, const SearchSpace& searched, JobContext& context) {
    if (is_compat(params)) return std::make_unique<ReferenceCpdTarget>(params, searched, context);
    for (const char* name : {"table", "column", "expected_range"}) {
        if (!params.contains(name)) continue;
        throw JobError("bad_param", std::string("target=cpd takes '") + name +
                                        "' only with compat=true, as it needs true event frames and normal "
                                        "sequences; give dataset instead");
    }
    return std::make_unique<CpdTarget>(params, searched, context);
}

}  // namespace

TargetKind cpd_target() {
    return {"cpd", {"dataset", "detector", "compat", "table", "column", "expected_range"}, space, make};
}

}  // namespace nightshift::jobs
