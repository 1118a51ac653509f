#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/commands_impl.h"
#include "scheduler/crash_point.h"

namespace nightshift::daemon {

namespace {

/// Skipped jobs that a retry with dependents copies, at most.
constexpr std::size_t kCopiesMax = 1000;

}  // namespace

void CommandsImpl::retry(JobId id, bool with_dependents, std::string actor, api::IdempotencyKey key,
                         Reply<api::Created> reply) {
    create(
        std::move(key),
        [this, id, with_dependents, actor](db::Store& store, UnixMs now) -> Result<std::vector<JobId>> {
            const auto copy = retry_in(store, id, with_dependents, actor, now);
            if (!copy) return copy.error();
            crash_point("retry.stored");
            return std::vector<JobId>{*copy};
        },
        std::move(reply), [] { crash_point("retry.committed"); });
}

Result<JobId> CommandsImpl::copy_in(db::Store& store, JobId id, const std::string& actor, UnixMs now,
                                    const std::vector<std::pair<JobId, JobId>>& copies) {
    const auto job = store.job(id);
    if (!job) return job.error();
    if (!*job) {
        return Error{ErrorCode::kNotFound, "no_such_job", "There is no job " + std::to_string(id.value) + ".",
                     "`nightshift ls` shows the jobs there are.", ""};
    }
    if (!is_terminal((*job)->state)) {
        return Error{ErrorCode::kConflict, "state_conflict",
                     "Job " + std::to_string(id.value) + " has not ended yet (" +
                         std::string(to_string((*job)->state)) + ").",
                     "Wait for its end, or cancel it first.", ""};
    }
    JobSpec spec = (*job)->spec;
    spec.hold = false;
    if (spec.start_deadline && *spec.start_deadline <= now) spec.start_deadline.reset();
    for (Dependency& dependency : spec.after) {
        for (const auto& [was, is] : copies) {
            if (dependency.on == was) dependency.on = is;
        }
        const auto parent = store.job(dependency.on);
        if (!parent) return parent.error();
        if (!*parent || !is_terminal((*parent)->state)) continue;
        const bool is_met =
            dependency.kind == DependencyKind::kAny ||
            (dependency.kind == DependencyKind::kSuccess) == ((*parent)->state == JobState::kSucceeded);
        if (is_met) continue;
        return Error{ErrorCode::kConflict, "dependency_impossible",
                     "Job " + std::to_string(id.value) + " needs job " + std::to_string(dependency.on.value) +
                         ", which ended as " + std::string(to_string((*parent)->state)) + ".",
                     "Retry job " + std::to_string(dependency.on.value) + " with its dependents instead.",
                     ""};
    }
    const nlohmann::json data{{"kind", spec.kind}, {"rerun_of", id.value}};
    return store.insert_job(spec, (*job)->schedule, {}, id, policy().limits.waiting, now,
                            {"job", "submitted", actor, data.dump()});
}

Result<JobId> CommandsImpl::retry_in(db::Store& store, JobId id, bool with_dependents,
                                     const std::string& actor, UnixMs now) {
    std::vector<std::pair<JobId, JobId>> copies;
    const auto first = copy_in(store, id, actor, now, copies);
    if (!first || !with_dependents) return first;
    copies.emplace_back(id, *first);
    for (std::size_t i = 0; i < copies.size(); ++i) {
        const auto children = store.skipped_dependents(copies[i].first);
        if (!children) return children.error();
        for (const JobId child : *children) {
            const auto is_same = [child](const auto& pair) { return pair.first == child; };
            if (std::any_of(copies.begin(), copies.end(), is_same)) continue;
            if (copies.size() >= kCopiesMax) {
                return Error{ErrorCode::kExhausted, "too_many_dependents",
                             "More than " + std::to_string(kCopiesMax) + " jobs depend on this one.",
                             "Submit them again in batches.", ""};
            }
            const auto copy = copy_in(store, child, actor, now, copies);
            // A child that also needs another failed job stays skipped.
            if (!copy && copy.error().reason == "dependency_impossible") continue;
            if (!copy) return copy.error();
            copies.emplace_back(child, *copy);
        }
    }
    return first;
}

void CommandsImpl::shut_down(bool yield_jobs, std::string actor, Reply<void> reply) {
    simple(
        [yield_jobs, actor](db::Store& store, UnixMs now) -> Status {
            const nlohmann::json data{{"yield_jobs", yield_jobs}};
            const auto event = store.append_event({"queue", "shutting_down", actor, data.dump()}, {}, 0, now);
            if (!event) return event.error();
            return {};
        },
        std::move(reply),
        [this, yield_jobs, actor] {
            parts_.dispatcher.set_draining();
            if (yield_jobs) yield_all(actor);
            parts_.stop();
        });
}

void CommandsImpl::yield_all(const std::string& actor) {
    const auto snapshot = this->snapshot();
    if (!snapshot) return;
    const Millis grace = policy().preemption.grace;
    for (const LiveJob& live : snapshot->live) {
        if (live.job.state != JobState::kRunning && live.job.state != JobState::kStarting) continue;
        const AttemptId id = live.attempt.id;
        simple(
            [id, grace, actor](db::Store& store, UnixMs now) {
                return store.set_yielding(
                    id, {}, "down", now + grace, now,
                    {"job", "yielding", actor, nlohmann::json{{"reason", "down"}}.dump()});
            },
            [](const Status&) {},
            [this, id, grace] {
                if (const auto supervisor = parts_.crew.find(id)) supervisor->ask_to_yield(grace, "down");
            });
    }
}

}  // namespace nightshift::daemon
