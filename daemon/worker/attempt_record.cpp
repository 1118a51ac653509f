#include "daemon/worker/attempt_record.h"

#include <nlohmann/json.hpp>

#include "daemon/paths.h"
#include "scheduler/transition.h"

namespace nightshift::daemon {

namespace {

constexpr std::size_t kResultFileMax = 64 << 20;

std::string event_kind(const Transition& transition) {
    if (transition.state == JobState::kWaiting) {
        return transition.end == AttemptEnd::kPreempted ? "preempted" : "retrying";
    }
    return std::string(to_string(transition.state));
}

db::EventText end_event(const Transition& transition, const AttemptReport& report) {
    nlohmann::json data{{"end", to_string(transition.end)}, {"run_time_ms", report.run_time.value}};
    if (report.exit_code) data["exit_code"] = *report.exit_code;
    if (report.signal) data["signal"] = *report.signal;
    if (transition.outcome) {
        data["code"] = transition.outcome->code;
        data["message"] = transition.outcome->message;
    } else if (!report.message.empty()) {
        data["message"] = report.message;
    }
    if (transition.retry_at) data["retry_at_ms"] = transition.retry_at->value;
    if (transition.vram) data["vram"] = transition.vram->value;
    return {"job", event_kind(transition), "worker",
            data.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)};
}

}  // namespace

std::optional<wire::ResultFile> read_result(const std::string& folder, const AttemptId& attempt) {
    const auto text = read_file(folder + "/result.json", kResultFileMax);
    if (!text) return std::nullopt;
    auto result = wire::decode_result_file(*text);
    if (!result || result->attempt != attempt) return std::nullopt;
    return std::move(*result);
}

AttemptFacts facts_of(const wire::Done& done) {
    AttemptFacts facts;
    facts.report.exit_code = done.exit_code;
    facts.report.signal = done.signal;
    facts.report.error_code = done.error_code;
    facts.report.message = done.message;
    facts.report.cached = done.cached;
    facts.report.run_time = done.ran;
    return facts;
}

AttemptFacts facts_of(const wire::ResultFile& result) {
    AttemptFacts facts = facts_of(result.done);
    facts.artifacts = result.artifacts;
    facts.checkpoint = result.checkpoint;
    facts.peak = result.peak_vram;
    return facts;
}

AttemptFacts lost_facts(const ExitStatus& status) {
    AttemptFacts facts;
    facts.report.is_lost = true;
    if (status.signal) {
        facts.report.signal = status.signal;
        facts.report.message = "The worker process was ended by signal " + std::to_string(*status.signal) +
                               " and left no result; the end of its log may say more.";
    } else if (status.exit_code) {
        facts.report.exit_code = status.exit_code;
        facts.report.message = "The worker process ended with exit code " +
                               std::to_string(*status.exit_code) +
                               " and left no result; the end of its log may say more.";
    }
    return facts;
}

AttemptFacts reboot_facts() {
    AttemptFacts facts;
    facts.report.is_lost = true;
    facts.report.is_reboot = true;
    facts.report.message = "The machine was restarted while the job ran.";
    return facts;
}

AttemptFacts never_started_facts() {
    AttemptFacts facts = reboot_facts();
    facts.report.message = "The daemon ended before the job's process was started.";
    return facts;
}

AttemptFacts spawn_error_facts(const Error& error) {
    AttemptFacts facts;
    facts.report.is_spawn_error = true;
    facts.report.message = error.message + " " + error.hint;
    return facts;
}

Status store_end(db::Store& store, const AttemptId& id, AttemptFacts facts, bool is_gone, UnixMs now) {
    const auto job = store.job(id.job);
    if (!job) return job.error();
    if (!*job) return {};
    const auto attempt = store.attempt(id);
    if (!attempt) return attempt.error();
    if (!*attempt) return {};
    if (!(*attempt)->end) {
        if (facts.checkpoint) {
            nlohmann::json data{{"step", facts.checkpoint->step}, {"bytes", facts.checkpoint->bytes.value}};
            NIGHTSHIFT_TRY(
                store.add_checkpoint(*facts.checkpoint, now, {"job", "checkpoint", "worker", data.dump()}));
        }
        const auto checkpoint = store.last_checkpoint(id.job);
        if (!checkpoint) return checkpoint.error();
        facts.report.has_committed_checkpoint = *checkpoint && (*checkpoint)->attempt == id.number;
        // Nobody saw it end: what is proven counts, not the time until it was found out.
        if (facts.report.run_time.value == 0) {
            const auto ran = store.ran(id);
            if (!ran) return ran.error();
            facts.report.run_time = *ran;
        }
        const auto was_raised = store.has_been_over_budget(id.job);
        if (!was_raised) return was_raised.error();
        facts.report.was_raised = *was_raised;
        facts.report.peak = facts.peak;
        const Transition transition = on_attempt_end(**job, **attempt, facts.report, now);
        const auto skipped = store.end_attempt(id, transition, facts.report, facts.artifacts, facts.peak, now,
                                               end_event(transition, facts.report));
        if (!skipped) return skipped.error();
    }
    if (is_gone) NIGHTSHIFT_TRY(store.release_lease(id));
    return {};
}

}  // namespace nightshift::daemon
