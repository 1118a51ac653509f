#include "daemon/commands_impl.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <nlohmann/json.hpp>

#include "daemon/coming_jobs.h"
#include "daemon/idempotency.h"
#include "scheduler/crash_point.h"

namespace nightshift::daemon {

namespace {

std::string dump(const nlohmann::json& data) {
    return data.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Error no_such_job(JobId id) {
    return {ErrorCode::kNotFound, "no_such_job", "There is no job " + std::to_string(id.value) + ".",
            "`nightshift ls` shows the jobs there are.", ""};
}

}  // namespace

CommandsImpl::CommandsImpl(Parts parts) : parts_(std::move(parts)) {}

void CommandsImpl::simple(std::function<Status(db::Store&, UnixMs)> apply, Reply<void> reply,
                          std::function<void()> after, bool uses_reserve) {
    parts_.loop.change({std::move(apply),
                        [reply = std::move(reply), after = std::move(after)](const Status& stored) {
                            if (stored && after) after();
                            reply(stored);
                        },
                        false, uses_reserve});
}

void CommandsImpl::create(api::IdempotencyKey key,
                          std::function<Result<std::vector<JobId>>(db::Store&, UnixMs)> make,
                          Reply<api::Created> reply, std::function<void()> after) {
    auto created = std::make_shared<api::Created>();
    auto apply = [key = std::move(key), make = std::move(make), created](db::Store& store,
                                                                         UnixMs now) -> Status {
        auto once = create_once(store, key, now, [&] { return make(store, now); });
        if (!once) return once.error();
        *created = std::move(*once);
        return {};
    };
    parts_.loop.change({std::move(apply),
                        [created, reply = std::move(reply), after = std::move(after)](const Status& stored) {
                            if (!stored) return reply(stored.error());
                            after();
                            reply(std::move(*created));
                        },
                        false});
}

void CommandsImpl::submit(api::SubmitRequest request, Reply<api::SubmitReply> reply) {
    const std::int64_t waiting_max = policy().limits.waiting;
    auto key = std::move(request.key);
    auto stored = std::make_shared<std::optional<Job>>();
    auto make = [request = std::move(request), waiting_max, stored](
                    db::Store& store, UnixMs now) -> Result<std::vector<JobId>> {
        const nlohmann::json data{{"kind", request.spec.kind}, {"class", to_string(request.spec.job_class)}};
        const auto id = store.insert_job(request.spec, request.schedule, {}, request.rerun_of, waiting_max,
                                         now, {"job", "submitted", request.actor, dump(data)});
        if (!id) return id.error();
        if (request.wants_job) {
            // Here its pages are at hand; another connection would read them again after the commit.
            auto job = store.job(*id);
            if (!job) return job.error();
            *stored = std::move(*job);
        }
        crash_point("submit.stored");
        return std::vector<JobId>{*id};
    };
    create(
        std::move(key), std::move(make),
        [reply = std::move(reply), stored](Result<api::Created> made) {
            if (!made) return reply(made.error());
            reply(api::SubmitReply{made->jobs.at(0), made->is_replayed, std::move(*stored)});
        },
        [] { crash_point("submit.committed"); });
}

Status CommandsImpl::cancel_in(db::Store& store, const Job& job, const std::string& actor, UnixMs now) {
    if (job.state == JobState::kWaiting) {
        const Outcome outcome{"cancelled", "Cancelled before it started.", {}, {}, false};
        const auto skipped = store.finish_waiting(job.id, JobState::kCancelled, outcome, now,
                                                  {"job", "cancelled", actor, "{}"});
        if (!skipped) return skipped.error();
        return {};
    }
    if (!is_live(job.state)) {
        return Error{ErrorCode::kConflict, "state_conflict",
                     "Job " + std::to_string(job.id.value) + " has ended already (" +
                         std::string(to_string(job.state)) + ").",
                     "", ""};
    }
    const AttemptId attempt{job.id, job.attempt};
    NIGHTSHIFT_TRY(store.set_stopping(attempt, "cancelled", now + kStopGrace, now,
                                      {"job", "stopping", actor, dump({{"reason", "cancelled"}})}));
    return {};
}

Status CommandsImpl::preempt_in(db::Store& store, const Job& job, const std::string& actor, UnixMs now) {
    if (job.state != JobState::kRunning && job.state != JobState::kStarting) {
        return Error{ErrorCode::kConflict, "state_conflict",
                     "Job " + std::to_string(job.id.value) + " is " + std::string(to_string(job.state)) +
                         ", not running.",
                     "Only a running job can be preempted.", ""};
    }
    return store.set_yielding(
        {job.id, job.attempt}, {}, "preempted", now + policy().preemption.grace, now,
        {"job", "yielding", actor, dump({{"reason", "preempted"}, {"beneficiary", 0}})});
}

void CommandsImpl::act(JobId id, api::JobAction action, std::string actor, Reply<void> reply) {
    auto apply = [this, id, action, actor](db::Store& store, UnixMs now) -> Status {
        const auto job = store.job(id);
        if (!job) return job.error();
        if (!*job) return no_such_job(id);
        switch (action) {
            case api::JobAction::kCancel:
                return cancel_in(store, **job, actor, now);
            case api::JobAction::kHold:
                return store.set_held(id, true, now, {"job", "held", actor, "{}"});
            case api::JobAction::kRelease:
                return store.set_held(id, false, now, {"job", "released", actor, "{}"});
            case api::JobAction::kPreempt:
                return preempt_in(store, **job, actor, now);
        }
        return {};
    };
    simple(
        std::move(apply), std::move(reply),
        [this, id, action] {
            if (action == api::JobAction::kCancel) crash_point("cancel.committed");
            const auto supervisor = parts_.crew.find(id);
            if (!supervisor) return;
            if (action == api::JobAction::kCancel) supervisor->stop(kStopGrace, "cancelled");
            if (action == api::JobAction::kPreempt)
                supervisor->ask_to_yield(policy().preemption.grace, "preempted");
        },
        action == api::JobAction::kCancel || action == api::JobAction::kHold);
}

void CommandsImpl::patch(JobId job, api::JobPatch patch, std::string actor, Reply<void> reply) {
    simple(
        [job, patch = std::move(patch), actor](db::Store& store, UnixMs now) -> Status {
            if (!patch.spec) return {};
            return store.update_spec(job, *patch.spec, patch.if_match_version, now,
                                     {"job", "edited", actor, "{}"});
        },
        std::move(reply));
}

void CommandsImpl::hide(JobId job, std::string actor, Reply<void> reply) {
    simple(
        [job, actor](db::Store& store, UnixMs now) {
            return store.set_hidden(job, now, {"job", "deleted", actor, "{}"});
        },
        std::move(reply));
}

void CommandsImpl::move(JobId job, api::MoveRequest request, Reply<void> reply) {
    using Place = api::MoveRequest::Place;
    const bool is_before = request.place == Place::kTop || request.place == Place::kBefore;
    const bool is_relative = request.place == Place::kBefore || request.place == Place::kAfter;
    const JobId other = is_relative ? request.other : JobId{};
    simple(
        [job, other, is_before, actor = request.actor](db::Store& store, UnixMs now) {
            return store.move_job(job, other, is_before, now, {"job", "moved", actor, "{}"});
        },
        std::move(reply));
}

void CommandsImpl::put_schedule(Schedule schedule, bool must_be_new, std::string actor,
                                api::IdempotencyKey key, Reply<api::Created> reply) {
    const std::string data = dump({{"schedule", schedule.name}});
    create(
        std::move(key),
        [schedule = std::move(schedule), must_be_new, actor, data](db::Store& store,
                                                                   UnixMs now) -> Result<std::vector<JobId>> {
            NIGHTSHIFT_TRY(
                store.put_schedule(schedule, must_be_new, now, {"schedule", "stored", actor, data}));
            return std::vector<JobId>{};
        },
        std::move(reply),
        [this] {
            crash_point("schedule.put_committed");
            parts_.schedules.reload();
            parts_.loop.wake();
        });
}

void CommandsImpl::begin_history(std::string database, std::string actor,
                                 Reply<std::shared_ptr<api::HistoryIntake>> reply) {
    imports_.begin(database, actor, std::move(reply));
}

void CommandsImpl::delete_schedule(std::string name, std::string actor, Reply<void> reply) {
    simple(
        [name, actor](db::Store& store, UnixMs now) {
            return store.delete_schedule(name, now,
                                         {"schedule", "deleted", actor, dump({{"schedule", name}})});
        },
        std::move(reply), [this] { parts_.schedules.reload(); });
}

void CommandsImpl::enable_schedule(std::string name, bool enabled, std::string actor, Reply<void> reply) {
    simple(
        [name, enabled, actor](db::Store& store, UnixMs now) {
            return store.set_schedule_enabled(
                name, enabled, now,
                {"schedule", enabled ? "resumed" : "paused", actor, dump({{"schedule", name}})});
        },
        std::move(reply),
        [this] {
            parts_.schedules.reload();
            parts_.loop.wake();
        });
}

void CommandsImpl::run_schedule(std::string name, std::string actor, api::IdempotencyKey key,
                                Reply<api::Created> reply) {
    auto make = [this, name, actor](db::Store& store, UnixMs now) -> Result<std::vector<JobId>> {
        const auto all = store.schedules();
        if (!all) return all.error();
        for (const Schedule& schedule : *all) {
            if (schedule.name != name) continue;
            auto ids = parts_.schedules.submit_chain(store, schedule, {}, actor, now);
            if (ids) crash_point("schedule.run_stored");
            return ids;
        }
        return Error{ErrorCode::kNotFound, "no_such_schedule", "There is no schedule \"" + name + "\".",
                     "`nightshift schedule ls` shows the schedules there are.", ""};
    };
    create(std::move(key), std::move(make), std::move(reply), [] { crash_point("schedule.run_committed"); });
}

void CommandsImpl::put_policy(Policy policy, std::string policy_json, std::string actor, Reply<void> reply) {
    const int version = policy_version_ + 1;
    simple(
        [policy_json, version, actor](db::Store& store, UnixMs now) -> Status {
            NIGHTSHIFT_TRY(store.set_setting("policy", policy_json));
            NIGHTSHIFT_TRY(store.set_setting("policy_version", std::to_string(version)));
            const auto event =
                store.append_event({"policy", "changed", actor, dump({{"version", version}})}, {}, 0, now);
            if (!event) return event.error();
            return {};
        },
        std::move(reply),
        [this, policy = std::move(policy), policy_json, version] {
            crash_point("policy.committed");
            parts_.dispatcher.set_policy(policy);
            policy_json_ = policy_json;
            policy_version_ = version;
            parts_.policy_changed(policy_json);
            crash_point("policy.applied");
            parts_.loop.wake();
        });
}

void CommandsImpl::pause(api::PauseRequest request, Reply<void> reply) {
    simple(
        [request](db::Store& store, UnixMs now) -> Status {
            NIGHTSHIFT_TRY(store.set_setting("pause", request.paused ? "1" : "0"));
            NIGHTSHIFT_TRY(store.set_setting("pause_reason", request.reason));
            NIGHTSHIFT_TRY(
                store.set_setting("pause_until", request.until ? std::to_string(request.until->value) : ""));
            nlohmann::json data{{"paused", request.paused}, {"reason", request.reason}};
            if (request.until) data["until_ms"] = request.until->value;
            const auto event = store.append_event(
                {"queue", request.paused ? "paused" : "resumed", request.actor, dump(data)}, {}, 0, now);
            if (!event) return event.error();
            return {};
        },
        std::move(reply), [this] { parts_.loop.wake(); }, true);
}

void CommandsImpl::put_token(db::StoredToken token, Reply<void> reply) {
    simple([token = std::move(token)](db::Store& store, UnixMs) { return store.put_token(token); },
           std::move(reply));
}

void CommandsImpl::delete_token(std::string sha256, Reply<void> reply) {
    simple([sha256](db::Store& store, UnixMs) { return store.delete_token(sha256); }, std::move(reply));
}

Result<Snapshot> CommandsImpl::snapshot() const {
    return parts_.dispatcher.snapshot(now());
}

std::shared_ptr<const std::vector<KindStats>> CommandsImpl::run_stats() const {
    auto stats = parts_.loop.store().run_stats();
    return stats ? *stats : nullptr;
}

std::vector<Lease> CommandsImpl::leases() const {
    std::vector<Lease> leases;
    auto snapshot = this->snapshot();
    if (!snapshot) return leases;
    for (const LiveJob& live : snapshot->live) leases.push_back(live.lease);
    leases.insert(leases.end(), snapshot->reclaiming.begin(), snapshot->reclaiming.end());
    return leases;
}

std::optional<Progress> CommandsImpl::progress(JobId job) const {
    const auto supervisor = parts_.crew.find(job);
    return supervisor && !supervisor->is_end_stored() ? supervisor->progress() : std::nullopt;
}

std::optional<Millis> CommandsImpl::ran(JobId job) const {
    const auto supervisor = parts_.crew.find(job);
    return supervisor ? supervisor->ran() : std::nullopt;
}

std::optional<std::string> CommandsImpl::why_stuck(JobId job) const {
    const auto supervisor = parts_.crew.find(job);
    return supervisor ? supervisor->why_stuck() : std::nullopt;
}

std::vector<DeviceSample> CommandsImpl::history(const std::string& device_uuid, UnixMs since) const {
    return parts_.devices.history(device_uuid, since);
}

std::shared_ptr<void> CommandsImpl::subscribe(std::function<void(const EventRecord&)> listener) {
    return parts_.loop.events().subscribe(std::move(listener));
}

void CommandsImpl::night_contract(UnixMs until, int futures, Reply<api::ContractAnswer> reply) {
    auto world = snapshot();
    if (!world) return reply(world.error());
    auto coming = coming_jobs(parts_.schedules.schedules(), submit_defaults(now()), until);
    parts_.projector.night_contract(std::move(*world), std::move(coming), now(), until, futures,
                                    std::move(reply));
}

void CommandsImpl::replay(api::ReplayRequest request, Reply<api::ReplayAnswer> reply) {
    auto world = snapshot();
    if (!world) return reply(world.error());
    parts_.projector.replay(std::move(*world), now(), std::move(request), std::move(reply));
}

void CommandsImpl::set_stored_policy(std::string policy_json, int version) {
    policy_json_ = std::move(policy_json);
    policy_version_ = version;
}

api::SubmitDefaults CommandsImpl::submit_defaults(UnixMs now) const {
    api::SubmitDefaults defaults;
    defaults.kinds = &parts_.kinds;
    defaults.policy = &parts_.dispatcher.policy();
    defaults.zones = &parts_.zones;
    defaults.devices = parts_.devices.states();
    defaults.now = now;
    defaults.stats = run_stats();
    return defaults;
}

}  // namespace nightshift::daemon
