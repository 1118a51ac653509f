#include "daemon/schedule_runner.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "scheduler/crash_point.h"
#include "scheduler/defect.h"
#include "scheduler/policy.h"

namespace nightshift::daemon {

namespace {

/// A day of an every-minute schedule: no clock was ever put back further.
constexpr int kRepeatedFiresMax = 24 * 60;

}  // namespace

ScheduleRunner::ScheduleRunner(Loop&, const TimeZones& zones, MakeDefaults defaults, StopJob stop_job,
                               StopProcess stop_process)
    : zones_(zones),
      defaults_(std::move(defaults)),
      stop_job_(std::move(stop_job)),
      stop_process_(std::move(stop_process)) {}

void ScheduleRunner::act() {
    for (const JobId id : std::exchange(stopped_, {})) stop_process_(id);
}

void ScheduleRunner::forget() {
    stopped_.clear();
    is_stale_ = true;
}

Status ScheduleRunner::decide(db::Store& store, UnixMs now) {
    if (is_stale_) NIGHTSHIFT_TRY(read(store, now));
    for (Schedule& schedule : schedules_) {
        if (!schedule.enabled || !schedule.next_fire_at || *schedule.next_fire_at > now) continue;
        NIGHTSHIFT_TRY(fire(store, schedule, now));
    }
    return {};
}

Status ScheduleRunner::read(db::Store& store, UnixMs now) {
    auto all = store.schedules();
    if (!all) return all.error();
    schedules_ = std::move(*all);
    for (const Schedule& schedule : schedules_) note_fired(schedule, schedule.last_fire_at);
    std::erase_if(fired_, [this](const auto& fired) {
        return std::none_of(schedules_.begin(), schedules_.end(), [&fired](const Schedule& schedule) {
            return schedule.id == fired.first && schedule.last_fire_at;
        });
    });
    for (Schedule& schedule : schedules_) {
        // Worked out anew: the zone's rules may have changed since it was stored. What is due stays due.
        if (schedule.next_fire_at && *schedule.next_fire_at <= now) continue;
        schedule.next_fire_at = next_of(schedule, now);
        NIGHTSHIFT_TRY(store.set_next_fire(schedule.id, schedule.next_fire_at));
    }
    is_stale_ = false;
    return {};
}

void ScheduleRunner::note_fired(const Schedule& schedule, std::optional<UnixMs> nominal) {
    if (!nominal) return;
    const auto known = fired_.find(schedule.id);
    // What is known keeps the local time that it had.
    if (known != fired_.end() && known->second.nominal == *nominal &&
        known->second.timezone == schedule.timezone)
        return;
    fired_[schedule.id] = {*nominal, schedule.timezone, zones_.to_local(schedule.timezone, *nominal)};
}

std::optional<UnixMs> ScheduleRunner::next_of(const Schedule& schedule, UnixMs now) const {
    const auto order = [](const LocalTime& local) {
        return std::tuple(local.year, local.month, local.day, local.minute);
    };
    const auto fired = fired_.find(schedule.id);
    auto next = next_fire(schedule.cron, schedule.timezone, zones_, now);
    for (int i = 0; i < kRepeatedFiresMax && next && fired != fired_.end(); ++i) {
        const LocalTime local = zones_.to_local(schedule.timezone, next->at);
        const bool is_over = order(local) <= order(fired->second.local) && next->at > fired->second.nominal;
        if (!is_over) break;
        next = next_fire(schedule.cron, schedule.timezone, zones_, next->at);
    }
    return next ? std::optional(next->at) : std::nullopt;
}

Status ScheduleRunner::fire(db::Store& store, Schedule& schedule, UnixMs now) {
    const auto open = store.open_jobs_of_schedule(schedule.name);
    if (!open) return open.error();
    for (const FireDecision& decision : due_fires(schedule, zones_, now, static_cast<int>(open->size()))) {
        nlohmann::json data{{"schedule", schedule.name}, {"nominal_ms", decision.nominal.value}};
        if (!decision.reason.empty()) data["reason"] = decision.reason;
        const auto is_new = store.record_fire(
            schedule.id, decision.nominal, decision.run ? "run" : "skip", decision.reason, now,
            {"schedule", decision.run ? "fired" : "skipped", "scheduler", data.dump()});
        if (!is_new) return is_new.error();
        crash_point("fire.recorded");
        note_fired(schedule, decision.nominal);
        if (!*is_new || !decision.run) continue;
        if (decision.replace_running) NIGHTSHIFT_TRY(stop_open_jobs(store, schedule.name, now));
        const auto made = submit_chain(store, schedule, decision.nominal, "schedule", now);
        if (made) crash_point("fire.chain_stored");
        if (made) continue;
        // A disk that is full ends the tick; jobs that are refused are a fact of this night.
        if (made.error().code != ErrorCode::kInvalidArgument && made.error().code != ErrorCode::kExhausted) {
            return made.error();
        }
        if (made.error().reason == "disk_low") return made.error();
        spdlog::error("schedule_failed schedule=\"{}\" error=\"{}\"", schedule.name, made.error().message);
        data["reason"] = made.error().reason;
        data["message"] = made.error().message;
        const auto event = store.append_event({"schedule", "failed", "scheduler", data.dump()}, {}, 0, now);
        if (!event) return event.error();
    }
    schedule.next_fire_at = next_of(schedule, now);
    NIGHTSHIFT_TRY(store.set_next_fire(schedule.id, schedule.next_fire_at));
    crash_point("fire.next_stored");
    return {};
}

Status ScheduleRunner::stop_open_jobs(db::Store& store, const std::string& schedule, UnixMs now) {
    // Read anew: of several missed times, each replaces what the one before it made.
    const auto open = store.open_jobs_of_schedule(schedule);
    if (!open) return open.error();
    for (const Job& job : *open) {
        if (std::find(stopped_.begin(), stopped_.end(), job.id) != stopped_.end()) continue;
        // A parent's end may have skipped it a moment ago.
        const auto current = store.job(job.id);
        if (!current) return current.error();
        if (!*current || NIGHTSHIFT_RULE(107, is_terminal((*current)->state), false)) continue;
        NIGHTSHIFT_TRY(stop_job_(store, **current, now));
        stopped_.push_back(job.id);
    }
    return {};
}

Result<std::vector<JobId>> ScheduleRunner::submit_chain(db::Store& store, const Schedule& schedule,
                                                        UnixMs nominal, const std::string& actor,
                                                        UnixMs now) {
    const auto chain = api::parse_chain(schedule.jobs_json);
    if (!chain) return chain.error();
    api::SubmitDefaults defaults = defaults_(now);
    defaults.check_paths = false;  // the night's earlier jobs may still make them
    const db::EventText event{"job", "submitted", actor, nlohmann::json{{"schedule", schedule.name}}.dump()};
    std::vector<JobId> ids(chain->texts.size());
    std::vector<JobId> made;
    // A chain is submitted whole or not at all.
    NIGHTSHIFT_TRY(store.savepoint());
    for (const std::size_t place : chain->order) {
        const auto spec = api::parse_submit_text(chain->texts[place], defaults, ids);
        const auto id = !spec ? Result<JobId>(spec.error())
                              : store.insert_job(*spec, schedule.name, nominal, {},
                                                 defaults.policy->limits.waiting, now, event);
        if (!id) {
            store.rollback_to_savepoint();
            return id.error();
        }
        ids[place] = *id;
        made.push_back(*id);
        crash_point("fire.job_stored");
    }
    NIGHTSHIFT_TRY(store.release_savepoint());
    return made;
}

std::optional<UnixMs> ScheduleRunner::next_wakeup() const {
    std::optional<UnixMs> next;
    for (const Schedule& schedule : schedules_) {
        if (!schedule.enabled || !schedule.next_fire_at) continue;
        if (!next || *schedule.next_fire_at < *next) next = schedule.next_fire_at;
    }
    return next;
}

}  // namespace nightshift::daemon
