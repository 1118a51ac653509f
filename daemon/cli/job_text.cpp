#include "daemon/cli/job_text.h"

#include <nlohmann/json.hpp>

#include "daemon/cli/fields.h"
#include "daemon/cli/text.h"
#include "scheduler/job.h"

namespace nightshift::cli {

using nlohmann::json;

namespace {

double seconds_between(const std::string& from, const std::string& to) {
    const std::int64_t start = unix_ms(from);
    if (start < 0) return -1;
    const std::int64_t end = to.empty() ? now_ms() : unix_ms(to);
    return end < start ? 0.0 : static_cast<double>(end - start) / 1000.0;
}

}  // namespace

bool is_over(const json& job) {
    const auto state = parse_job_state(text_at(job, "state"));
    return state.has_value() && is_terminal(*state);
}

bool has_succeeded(const json& job) {
    return text_at(job, "state") == "succeeded";
}

std::string progress_text(const json& job) {
    const json& progress = object_at(job, "progress");
    if (progress.empty() || is_over(job)) return {};
    const std::int64_t step = number_at(progress, "step");
    const std::int64_t steps = number_at(progress, "steps");
    std::string text;
    if (steps > 0) {
        text =
            std::to_string(step * 100 / steps) + " % " + std::to_string(step) + "/" + std::to_string(steps);
    } else if (step > 0) {
        text = std::to_string(step);
    }
    const std::string phase = text_at(progress, "phase");
    if (!phase.empty()) text += (text.empty() ? "" : " ") + phase;
    return text;
}

std::string age_text(const json& job) {
    return seconds_text(seconds_between(text_at(job, "created_at"), ""));
}

std::string run_text(const json& job) {
    const std::string started = text_at(job, "started_at");
    if (started.empty()) return "-";
    // The daemon sums up the attempts of a job that is over; waiting between them is no run time.
    if (is_over(job) && has(job, "run_time")) return seconds_text(real_at(job, "run_time"));
    return seconds_text(seconds_between(started, text_at(job, "ended_at")));
}

std::string reason_text(const json& job) {
    if (const json& waiting = object_at(job, "waiting"); !waiting.empty()) {
        const std::string text = text_at(waiting, "text");
        return text.empty() ? text_at(waiting, "code") : text;
    }
    if (const json& outcome = object_at(job, "outcome"); !outcome.empty() && !has_succeeded(job)) {
        const std::string message = text_at(outcome, "message");
        return message.empty() ? text_at(outcome, "code") : message;
    }
    return {};
}

std::string result_text(const json& job) {
    std::string text = text_at(job, "id") + " " + text_at(job, "name") + ": " + text_at(job, "state");
    if (has(job, "started_at")) text += " after " + run_text(job);
    if (const std::string reason = reason_text(job); !reason.empty()) text += " (" + reason + ")";
    return harmless(text);
}

}  // namespace nightshift::cli
