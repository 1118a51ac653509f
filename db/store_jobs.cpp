#include <algorithm>

#include "db/job_rows.h"
#include "db/sqlite_store.h"
#include "db/text_list.h"

namespace nightshift::db {

namespace {

std::optional<UnixMs> wake_at(const std::optional<UnixMs>& not_before, const std::optional<UnixMs>& retry_at,
                              UnixMs now) {
    const UnixMs later = std::max(not_before.value_or(UnixMs{0}), retry_at.value_or(UnixMs{0}));
    if (later <= now) return std::nullopt;
    return later;
}

/// The place of a job behind which nobody was moved; else it is further back, never further ahead.
std::int64_t first_order_key(JobId id) {
    return id.value * kKeyStep;
}

std::optional<std::string> window_end_text(const JobSpec& spec) {
    if (!spec.at_window_end) return std::nullopt;
    return std::string(to_string(*spec.at_window_end));
}

/// Does an ended parent satisfy the dependency? When not, it never will.
bool is_met_by(DependencyKind kind, JobState state) {
    switch (kind) {
        case DependencyKind::kSuccess:
            return state == JobState::kSucceeded;
        case DependencyKind::kAny:
            return true;
        case DependencyKind::kFailure:
            return state == JobState::kFailed || state == JobState::kExpired;
    }
    return false;
}

Outcome skipped_because(JobId parent, JobState state) {
    Outcome outcome;
    outcome.code = "dependency";
    outcome.message = "Job " + std::to_string(parent.value) + " ended as " + std::string(to_string(state)) +
                      ", so this job could never start.";
    return outcome;
}

}  // namespace

Result<SqliteStore::StateRow> SqliteStore::state_of(JobId id) {
    Statement row(*connection_, "SELECT state, version, attempt FROM job WHERE id = ?", id);
    const auto has_row = row.step();
    if (!has_row) return has_row.error();
    if (!*has_row) return no_such_job(id);
    return StateRow{parse_job_state(row.text(0)).value_or(JobState::kFailed),
                    static_cast<int>(row.integer(1)), static_cast<int>(row.integer(2))};
}

Result<std::optional<Job>> SqliteStore::job(JobId id) {
    return find_job(*connection_, id);
}

Result<JobId> SqliteStore::insert_job(const JobSpec& spec, const std::string& schedule, UnixMs nominal,
                                      JobId rerun_of, std::int64_t waiting_max, UnixMs now,
                                      const EventText& event) {
    Quiet quiet(*this);
    // The id is known before the row, so that order_key is written once. It comes behind everybody, also
    // behind jobs that were moved to the end: two jobs with one key have no place between them.
    Statement before(*connection_,
                     "SELECT (SELECT COALESCE(SUM(count), 0) FROM tally WHERE state = 'waiting'), "
                     "COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'job'), 0), "
                     "MAX(COALESCE((SELECT MAX(order_key) FROM job INDEXED BY job_order WHERE class = ?1 AND "
                     "state = 'waiting'), 0), "
                     "COALESCE((SELECT MAX(order_key) FROM job INDEXED BY job_live WHERE class = ?1 AND "
                     "state <> 'waiting' AND ended_at_ms IS NULL), 0))",
                     to_string(spec.job_class));
    if (const auto row = before.step(); !row) return row.error();
    if (before.integer(0) >= waiting_max) {
        return Error{ErrorCode::kExhausted, "queue_full",
                     "The queue holds " + std::to_string(waiting_max) + " waiting jobs, its limit.",
                     "Wait for jobs to end, or raise limits.waiting in the policy.", ""};
    }
    const JobId id{before.integer(1) + 1};
    std::int64_t order_key = first_order_key(id);
    if (before.integer(2) >= order_key) order_key = before.integer(2) + kKeyStep;
    std::optional<UnixMs> nominal_time;
    if (nominal.value != 0) nominal_time = nominal;
    Statement insert(*connection_,
                     "INSERT INTO job (id, state, class, kind, name, priority, order_key, held, gpu, vram, "
                     "ram, cpu, window_name, "
                     "preemptible, checkpoint_mode, retries, retries_left, not_before_ms, start_deadline_ms, "
                     "time_limit_ms, "
                     "estimate_ms, wake_at_ms, dependencies, labels, schedule, schedule_nominal_ms, "
                     "rerun_of, created_at_ms, at_window_end, spec_group) "
                     "VALUES (?1, 'waiting', ?2, ?3, ?4, ?5, ?28, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, "
                     "?14, ?14, ?15, ?16, ?17, "
                     "?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27)",
                     id, to_string(spec.job_class), spec.kind, spec.name, spec.priority, spec.hold, spec.gpu,
                     spec.vram, spec.ram, spec.cpu, spec.window, spec.preemptible, to_string(spec.checkpoint),
                     spec.retries, spec.not_before, spec.start_deadline, spec.time_limit, spec.estimate,
                     wake_at(spec.not_before, std::nullopt, now),
                     static_cast<std::int64_t>(spec.after.size()),
                     static_cast<std::int64_t>(spec.labels.size()), schedule, nominal_time, rerun_of, now,
                     window_end_text(spec), spec.group, order_key);
    NIGHTSHIFT_TRY(insert.run());
    const std::string command = pack(spec.command);
    const std::string env = pack_pairs(spec.env);
    Statement text(*connection_,
                   "INSERT INTO job_spec (job_id, params, command, cwd, env) VALUES (?, ?, ?, ?, ?)", id,
                   spec.params_json, Blob{command}, spec.cwd, Blob{env});
    NIGHTSHIFT_TRY(text.run());
    NIGHTSHIFT_TRY(write_labels(id, spec));
    if (auto added = append_event(event, id, 0, now); !added) return added.error();
    bool is_impossible = false;
    NIGHTSHIFT_TRY(write_dependencies(id, spec, is_impossible));
    if (!is_beyond_horizon(id, spec)) quiet.drop();
    if (is_impossible) {
        for (const Dependency& dependency : spec.after) {
            const auto parent = state_of(dependency.on);
            if (!parent) return parent.error();
            if (!is_terminal(parent->state) || is_met_by(dependency.kind, parent->state)) continue;
            NIGHTSHIFT_TRY(end_waiting_row(id, JobState::kSkipped,
                                           skipped_because(dependency.on, parent->state), now,
                                           {"job", "skipped", event.actor, "{}"}));
            break;
        }
    } else if (spec.hold || !spec.after.empty() || spec.not_before) {
        NIGHTSHIFT_TRY(note_standing_reasons(id, now));
    }
    return id;
}

bool SqliteStore::is_beyond_horizon(JobId id, const JobSpec& spec) const {
    // Times are timers of the planner, and a parent may have ended: both are left to a pass.
    if (spec.not_before || spec.start_deadline || !spec.after.empty()) return false;
    if (spec.hold) return true;
    const auto& horizons = horizons_[static_cast<std::size_t>(spec.job_class)];
    const auto horizon = horizons.find(spec.window);
    return horizon != horizons.end() && spec.priority <= horizon->second.priority &&
           first_order_key(id) > horizon->second.order_key;
}

Status SqliteStore::write_dependencies(JobId id, const JobSpec& spec, bool& is_impossible) {
    int open = 0;
    for (const Dependency& dependency : spec.after) {
        const auto parent = state_of(dependency.on);
        if (!parent && parent.error().code == ErrorCode::kNotFound) {
            return Error{
                ErrorCode::kInvalidArgument, "unknown_dependency",
                "`after` names job " + std::to_string(dependency.on.value) + ", which does not exist.",
                "Use the id of a job that was submitted before.", "/after"};
        }
        if (!parent) return parent.error();
        const bool has_ended = is_terminal(parent->state);
        const bool is_met = has_ended && is_met_by(dependency.kind, parent->state);
        if (has_ended && !is_met) is_impossible = true;
        if (!is_met) ++open;
        Statement insert(*connection_,
                         "INSERT INTO dep (job_id, on_job, kind, is_met) VALUES (?, ?, ?, ?) "
                         "ON CONFLICT DO UPDATE SET kind = excluded.kind, is_met = excluded.is_met",
                         id, dependency.on, to_string(dependency.kind), is_met);
        NIGHTSHIFT_TRY(insert.run());
    }
    if (spec.after.empty()) return {};
    // Counted from the rows: the same parent named twice is one dependency.
    Statement count(*connection_,
                    "UPDATE job SET deps_open = (SELECT COUNT(*) FROM dep WHERE job_id = ?1 AND is_met = 0), "
                    "dependencies = (SELECT COUNT(*) FROM dep WHERE job_id = ?1) WHERE id = ?1",
                    id);
    return count.run();
}

Status SqliteStore::check_cycle(JobId id, const std::vector<Dependency>& after) {
    for (const Dependency& dependency : after) {
        Statement reach(*connection_,
                        "WITH RECURSIVE above (id) AS (SELECT ?1 UNION SELECT on_job FROM dep JOIN above "
                        "ON dep.job_id = above.id) SELECT 1 FROM above WHERE id = ?2",
                        dependency.on, id);
        const auto found = reach.step();
        if (!found) return found.error();
        if (*found) {
            return Error{ErrorCode::kInvalidArgument, "circular_dependency",
                         "Job " + std::to_string(id.value) + " would wait for itself through job " +
                             std::to_string(dependency.on.value) + ".",
                         "Take one of the jobs of the circle out of `after`.", "/after"};
        }
    }
    return {};
}

Status SqliteStore::write_labels(JobId id, const JobSpec& spec) {
    for (const auto& [name, value] : spec.labels) {
        Statement insert(*connection_,
                         "INSERT INTO label (job_id, name, value) VALUES (?, ?, ?) "
                         "ON CONFLICT DO UPDATE SET value = excluded.value",
                         id, name, value);
        NIGHTSHIFT_TRY(insert.run());
    }
    return {};
}

Status SqliteStore::update_spec(JobId id, const JobSpec& spec, int if_version, UnixMs now,
                                const EventText& event) {
    const auto row = state_of(id);
    if (!row) return row.error();
    if (row->version != if_version) {
        return Error{ErrorCode::kConflict, "stale_etag",
                     "Job " + std::to_string(id.value) + " was changed since it was read (version " +
                         std::to_string(row->version) + ").",
                     "Read the job again and repeat the change on what it is now.", ""};
    }
    if (row->state != JobState::kWaiting) {
        Statement rename(*connection_,
                         "UPDATE job SET name = ?2, labels = ?3, version = version + 1 WHERE id = ?1", id,
                         spec.name, static_cast<std::int64_t>(spec.labels.size()));
        NIGHTSHIFT_TRY(rename.run());
    } else {
        NIGHTSHIFT_TRY(check_cycle(id, spec.after));
        Statement update(
            *connection_,
            "UPDATE job SET class = ?2, kind = ?3, name = ?4, priority = ?5, held = ?6, gpu = ?7, vram = ?8, "
            "ram = ?9, "
            "cpu = ?10, window_name = ?11, preemptible = ?12, checkpoint_mode = ?13, "
            "retries_left = MAX(0, retries_left + ?14 - retries), retries = ?14, not_before_ms = ?15, "
            "start_deadline_ms = ?16, time_limit_ms = ?17, estimate_ms = ?18, "
            "wake_at_ms = NULLIF(MAX(COALESCE(?15, 0), COALESCE(retry_at_ms, 0), ?21), ?21), "
            "dependencies = ?19, labels = ?20, at_window_end = ?22, spec_group = ?23, version = version + 1 "
            "WHERE id = ?1 AND state = 'waiting'",
            id, to_string(spec.job_class), spec.kind, spec.name, spec.priority, spec.hold, spec.gpu,
            spec.vram, spec.ram, spec.cpu, spec.window, spec.preemptible, to_string(spec.checkpoint),
            spec.retries, spec.not_before, spec.start_deadline, spec.time_limit, spec.estimate,
            static_cast<std::int64_t>(spec.after.size()), static_cast<std::int64_t>(spec.labels.size()), now,
            window_end_text(spec), spec.group);
        NIGHTSHIFT_TRY(update.run());
        const std::string command = pack(spec.command);
        const std::string env = pack_pairs(spec.env);
        Statement text(*connection_,
                       "UPDATE job_spec SET params = ?2, command = ?3, cwd = ?4, env = ?5 WHERE job_id = ?1",
                       id, spec.params_json, Blob{command}, spec.cwd, Blob{env});
        NIGHTSHIFT_TRY(text.run());
        Statement clear(*connection_, "DELETE FROM dep WHERE job_id = ?", id);
        NIGHTSHIFT_TRY(clear.run());
        Statement zero(*connection_, "UPDATE job SET deps_open = 0 WHERE id = ?", id);
        NIGHTSHIFT_TRY(zero.run());
        bool is_impossible = false;
        NIGHTSHIFT_TRY(write_dependencies(id, spec, is_impossible));
        if (is_impossible) {
            return Error{ErrorCode::kInvalidArgument, "dependency_impossible",
                         "A job named in `after` has ended in a way that would never let this one start.",
                         "Take it out of `after`, or wait for it with {\"on\": \"any\"}.", "/after"};
        }
        NIGHTSHIFT_TRY(note_standing_reasons(id, now));
    }
    Statement clear(*connection_, "DELETE FROM label WHERE job_id = ?", id);
    NIGHTSHIFT_TRY(clear.run());
    NIGHTSHIFT_TRY(write_labels(id, spec));
    if (auto added = append_event(event, id, row->attempt, now); !added) return added.error();
    return {};
}

Status SqliteStore::set_held(JobId id, bool held, UnixMs now, const EventText& event) {
    const auto row = state_of(id);
    if (!row) return row.error();
    if (row->state != JobState::kWaiting) return state_conflict(id, row->state, "waiting");
    Statement update(*connection_,
                     "UPDATE job SET held = ?2, "
                     "eligible_ms = eligible_ms + MAX(0, ?3 - COALESCE(eligible_since_ms, ?3)), "
                     "eligible_since_ms = NULL, version = version + 1 "
                     "WHERE id = ?1 AND state = 'waiting' AND held <> ?2",
                     id, held, now);
    NIGHTSHIFT_TRY(update.run());
    if (connection_->changes() == 0) return {};  // it is so already
    NIGHTSHIFT_TRY(note_standing_reasons(id, now));
    if (auto added = append_event(event, id, row->attempt, now); !added) return added.error();
    return {};
}

Status SqliteStore::set_hidden(JobId id, UnixMs now, const EventText& event) {
    const auto row = state_of(id);
    if (!row) return row.error();
    if (!is_terminal(row->state)) {
        Error error = state_conflict(id, row->state, "finished");
        error.hint = "Cancel it first; a job can be deleted once it has ended.";
        return error;
    }
    const Quiet quiet(*this);
    Statement update(*connection_,
                     "UPDATE job SET hidden = 1, version = version + 1 WHERE id = ? AND hidden = 0", id);
    NIGHTSHIFT_TRY(update.run());
    if (connection_->changes() == 0) return {};
    if (auto added = append_event(event, id, row->attempt, now); !added) return added.error();
    return {};
}

Status SqliteStore::end_waiting_row(JobId id, JobState to, const Outcome& outcome, UnixMs now,
                                    const EventText& event) {
    Statement update(*connection_,
                     "UPDATE job SET state = ?2, ended_at_ms = ?3, outcome_code = ?4, outcome_message = ?5, "
                     "eligible_since_ms = NULL, wake_at_ms = NULL, version = version + 1 "
                     "WHERE id = ?1 AND state = 'waiting'",
                     id, to_string(to), now, outcome.code, outcome.message);
    NIGHTSHIFT_TRY(update.run());
    if (connection_->changes() != 1) {
        const auto row = state_of(id);
        if (!row) return row.error();
        return state_conflict(id, row->state, "waiting");
    }
    NIGHTSHIFT_TRY(end_wait_spans(id, now));
    if (auto added = append_event(event, id, 0, now); !added) return added.error();
    return {};
}

Result<std::vector<JobId>> SqliteStore::finish_waiting(JobId id, JobState to, const Outcome& outcome,
                                                       UnixMs now, const EventText& event) {
    NIGHTSHIFT_TRY(end_waiting_row(id, to, outcome, now, event));
    std::vector<JobId> skipped;
    NIGHTSHIFT_TRY(settle_dependents(id, to, now, skipped));
    return skipped;
}

Status SqliteStore::settle_dependents(JobId ended, JobState state, UnixMs now, std::vector<JobId>& skipped) {
    // Breadth first without recursion: a chain may be as long as the queue.
    std::vector<std::pair<JobId, JobState>> open{{ended, state}};
    for (std::size_t next = 0; next < open.size(); ++next) {
        const auto [parent, how] = open[next];
        std::vector<std::pair<JobId, DependencyKind>> children;
        Statement unmet(*connection_,
                        "SELECT job_id, kind FROM dep WHERE on_job = ? AND is_met = 0 ORDER BY job_id",
                        parent);
        NIGHTSHIFT_TRY(unmet.each([&] {
            children.emplace_back(JobId{unmet.integer(0)},
                                  parse_dependency_kind(unmet.text(1)).value_or(DependencyKind::kSuccess));
        }));
        for (const auto& [child, kind] : children) {
            if (is_met_by(kind, how)) {
                Statement met(*connection_, "UPDATE dep SET is_met = 1 WHERE job_id = ? AND on_job = ?",
                              child, parent);
                NIGHTSHIFT_TRY(met.run());
                Statement count(*connection_, "UPDATE job SET deps_open = deps_open - 1 WHERE id = ?", child);
                NIGHTSHIFT_TRY(count.run());
                NIGHTSHIFT_TRY(note_standing_reasons(child, now));
                continue;
            }
            const auto row = state_of(child);
            if (!row) return row.error();
            if (row->state != JobState::kWaiting) continue;
            NIGHTSHIFT_TRY(end_waiting_row(child, JobState::kSkipped, skipped_because(parent, how), now,
                                           {"job", "skipped", "scheduler", "{}"}));
            skipped.push_back(child);
            open.emplace_back(child, JobState::kSkipped);
        }
    }
    return {};
}

Result<std::vector<JobId>> SqliteStore::skipped_dependents(JobId parent) {
    std::vector<JobId> ids;
    Statement rows(*connection_,
                   "SELECT dep.job_id FROM dep JOIN job ON job.id = dep.job_id "
                   "WHERE dep.on_job = ? AND job.state = 'skipped' ORDER BY dep.job_id",
                   parent);
    NIGHTSHIFT_TRY(rows.each([&] { ids.push_back(JobId{rows.integer(0)}); }));
    return ids;
}

Status SqliteStore::set_eligible(JobId id, bool is_eligible, UnixMs now) {
    Statement update(
        *connection_,
        "UPDATE job SET eligible_ms = eligible_ms + MAX(0, ?3 - COALESCE(eligible_since_ms, ?3)), "
        "eligible_since_ms = CASE WHEN ?2 THEN ?3 END WHERE id = ?1 AND state = 'waiting'",
        id, is_eligible, now);
    return update.run();
}

}  // namespace nightshift::db
