#include "api/projection_codec.h"

#include <algorithm>
#include <cstdlib>

#include <nlohmann/json.hpp>

#include "api/rfc3339.h"

namespace nightshift::api {
namespace {

using Json = nlohmann::ordered_json;

/// Jobs that a replay's answer lists.
constexpr std::size_t kJobsShown = 100;

Json time_or_null(const std::optional<UnixMs>& at) {
    return at ? Json(format_time(*at)) : Json(nullptr);
}

double seconds_of(Millis duration) {
    return static_cast<double>(duration.value) / 1000.0;
}

std::optional<Millis> wait_of(const PastJob& job, const ProjectedRun& run) {
    if (!run.first_start) return std::nullopt;
    return std::max(*run.first_start - job.ready_at, Millis{});
}

Json wait_or_null(const std::optional<Millis>& wait) {
    return wait ? Json(seconds_of(*wait)) : Json(nullptr);
}

Json story_object(const Story& story) {
    Json classes = Json::object();
    Millis on_device;
    int preemptions = 0;
    for (const JobClass job_class : kJobClasses) {
        const ClassFigures& figures = story.classes[static_cast<std::size_t>(job_class)];
        on_device = on_device + figures.on_device;
        preemptions += figures.preemptions;
        classes[std::string(to_string(job_class))] = {{"jobs", figures.jobs},
                                                      {"started", figures.started},
                                                      {"ended", figures.ended},
                                                      {"wait_mean_s", seconds_of(figures.wait_mean)},
                                                      {"wait_p90_s", seconds_of(figures.wait_p90)},
                                                      {"wait_max_s", seconds_of(figures.wait_max)},
                                                      {"preemptions", figures.preemptions},
                                                      {"gpu_hours", seconds_of(figures.on_device) / 3600.0}};
    }
    return {{"gpu_hours", seconds_of(on_device) / 3600.0},
            {"preemptions", preemptions},
            {"complete", !story.is_cut_short},
            {"classes", classes}};
}

/// How much a job's start moves; one that starts in only one of the stories moves most.
std::int64_t shift_of(const ReplayAnswer& answer, std::size_t i) {
    const auto& same = answer.replay.same.runs[i].first_start;
    const auto& changed = answer.replay.changed.runs[i].first_start;
    if (!same && !changed) return 0;
    if (!same || !changed) return INT64_MAX;
    return std::abs(changed->value - same->value);
}

Json moved_job(const ReplayAnswer& answer, std::size_t i) {
    const PastJob& job = answer.jobs[i];
    const Replay& replay = answer.replay;
    return {{"job", job.job.id.value},
            {"name", job.job.spec.name},
            {"class", to_string(job.job.spec.job_class)},
            {"wait_recorded_s", wait_or_null(wait_of(job, replay.recorded.runs[i]))},
            {"wait_same_s", wait_or_null(wait_of(job, replay.same.runs[i]))},
            {"wait_changed_s", wait_or_null(wait_of(job, replay.changed.runs[i]))},
            {"preemptions_same", replay.same.runs[i].preemptions},
            {"preemptions_changed", replay.changed.runs[i].preemptions}};
}

Json forecast_of(const Job& job, const ContractLine& line) {
    return {{"name", job.spec.name},
            {"class", to_string(job.spec.job_class)},
            {"verdict", to_string(line.verdict)},
            {"chance", line.verdict == Verdict::kUnknown ? Json(nullptr) : Json(line.chance)},
            {"start", {{"p50", time_or_null(line.start_p50)}}},
            {"end", {{"p50", time_or_null(line.end_p50)}, {"p90", time_or_null(line.end_p90)}}},
            {"basis", line.basis}};
}

}  // namespace

Json contract_object(const ContractAnswer& answer) {
    const NightContract& contract = answer.contract;
    Json jobs = Json::array();
    int done = 0;
    int known = 0;
    for (std::size_t i = 0; i < answer.jobs.size(); ++i) {
        const ContractLine& line = contract.lines[i];
        const Job& job = answer.jobs[i];
        done += line.verdict == Verdict::kDone ? 1 : 0;
        known += line.verdict == Verdict::kUnknown ? 0 : 1;
        Json object = {{"job", line.job.value}, {"state", to_string(job.state)}};
        object.update(forecast_of(job, line));
        jobs.push_back(std::move(object));
    }
    Json coming = Json::array();
    for (std::size_t i = 0; i < answer.coming.size(); ++i) {
        const ComingJob& job = answer.coming[i];
        Json object = {{"schedule", job.job.schedule}, {"fires_at", format_time(job.at)}};
        object.update(forecast_of(job.job, contract.lines[answer.jobs.size() + i]));
        coming.push_back(std::move(object));
    }
    return {{"until", format_time(contract.until)},
            {"done", done},
            {"known", known},
            {"unknown", static_cast<int>(jobs.size()) - known},
            {"left_out", answer.left_out},
            {"all_chance", contract.all_chance},
            {"futures", contract.futures},
            {"complete", !contract.is_cut_short},
            {"assumes",
             "schedules fire as planned, nobody submits more, no job fails, foreign memory stays as it is"},
            {"jobs", std::move(jobs)},
            {"coming", std::move(coming)}};
}

Json replay_object(const ReplayAnswer& answer) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < answer.jobs.size(); ++i) {
        if (shift_of(answer, i) > 0) order.push_back(i);
    }
    std::stable_sort(order.begin(), order.end(), [&answer](std::size_t a, std::size_t b) {
        return shift_of(answer, a) > shift_of(answer, b);
    });
    Json jobs = Json::array();
    for (std::size_t i = 0; i < std::min(order.size(), kJobsShown); ++i) {
        jobs.push_back(moved_job(answer, order[i]));
    }
    return {{"from", {{"plan_seq", answer.from_plan}, {"at", format_time(answer.from)}}},
            {"until", format_time(answer.until)},
            {"jobs_seen", answer.jobs.size()},
            {"agreement", answer.replay.agreement},
            {"recorded", story_object(answer.replay.recorded)},
            {"same", story_object(answer.replay.same)},
            {"changed", story_object(answer.replay.changed)},
            {"moved", order.size()},
            {"jobs", std::move(jobs)}};
}

}  // namespace nightshift::api
