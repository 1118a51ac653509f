#include "db/job_rows.h"
#include "db/sqlite_store.h"

namespace nightshift::db {

namespace {

Error no_such_schedule(const std::string& name) {
    return {ErrorCode::kNotFound, "no_such_schedule", "There is no schedule \"" + name + "\".",
            "`nightshift schedule ls` shows the schedules there are.", ""};
}

}  // namespace

Result<std::vector<Schedule>> SqliteStore::schedules() {
    return read_schedules(*connection_);
}

Status SqliteStore::put_schedule(const Schedule& schedule, bool must_be_new, UnixMs now,
                                 const EventText& event) {
    Statement known(*connection_, "SELECT id FROM schedule WHERE name = ?", schedule.name);
    const auto has_row = known.step();
    if (!has_row) return has_row.error();
    if (*has_row && must_be_new) {
        return Error{
            ErrorCode::kConflict, "schedule_exists", "There is a schedule \"" + schedule.name + "\" already.",
            "Change it with PUT /api/v1/schedules/" + schedule.name + ", or choose another name.", "/name"};
    }
    Statement put(
        *connection_,
        "INSERT INTO schedule (name, cron, timezone, missed, overlap, enabled, jobs, next_fire_ms, "
        "last_fire_ms, created_at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, NULL, ?9) "
        "ON CONFLICT (name) DO UPDATE SET cron = ?2, timezone = ?3, missed = ?4, overlap = ?5, enabled = ?6, "
        "jobs = ?7, next_fire_ms = ?8, version = version + 1",
        schedule.name, schedule.cron_text, schedule.timezone, to_string(schedule.missed),
        to_string(schedule.overlap), schedule.enabled, schedule.jobs_json, schedule.next_fire_at, now);
    NIGHTSHIFT_TRY(put.run());
    if (auto added = append_event(event, JobId{}, 0, now); !added) return added.error();
    return {};
}

Status SqliteStore::delete_schedule(const std::string& name, UnixMs now, const EventText& event) {
    Statement gone(*connection_, "DELETE FROM schedule WHERE name = ?", name);
    NIGHTSHIFT_TRY(gone.run());
    if (connection_->changes() == 0) return no_such_schedule(name);
    if (auto added = append_event(event, JobId{}, 0, now); !added) return added.error();
    return {};
}

Status SqliteStore::set_schedule_enabled(const std::string& name, bool enabled, UnixMs now,
                                         const EventText& event) {
    Statement update(*connection_, "UPDATE schedule SET enabled = ?2, version = version + 1 WHERE name = ?1",
                     name, enabled);
    NIGHTSHIFT_TRY(update.run());
    if (connection_->changes() == 0) return no_such_schedule(name);
    if (auto added = append_event(event, JobId{}, 0, now); !added) return added.error();
    return {};
}

Status SqliteStore::set_next_fire(ScheduleId id, std::optional<UnixMs> next) {
    Statement update(*connection_,
                     "UPDATE schedule SET next_fire_ms = ?2 WHERE id = ?1 AND next_fire_ms IS NOT ?2", id,
                     next);
    return update.run();
}

Result<bool> SqliteStore::record_fire(ScheduleId id, UnixMs nominal, const std::string& decision,
                                      const std::string& reason, UnixMs now, const EventText& event) {
    Statement insert(*connection_,
                     "INSERT INTO schedule_fire (schedule_id, nominal_ms, decision, reason, at_ms) "
                     "VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                     id, nominal, decision, reason, now);
    NIGHTSHIFT_TRY(insert.run());
    if (connection_->changes() == 0) return false;
    Statement last(*connection_,
                   "UPDATE schedule SET last_fire_ms = MAX(COALESCE(last_fire_ms, 0), ?2) WHERE id = ?1", id,
                   nominal);
    NIGHTSHIFT_TRY(last.run());
    if (auto added = append_event(event, JobId{}, 0, now); !added) return added.error();
    return true;
}

Result<std::vector<Job>> SqliteStore::open_jobs_of_schedule(const std::string& name) {
    std::vector<Job> jobs;
    if (name.empty()) return jobs;
    Statement rows(*connection_,
                   "SELECT * FROM job_hot_view WHERE schedule = ? AND schedule <> '' AND ended_at_ms IS NULL "
                   "ORDER BY id",
                   name);
    NIGHTSHIFT_TRY(rows.each([&] { jobs.push_back(read_job(rows)); }));
    return jobs;
}

}  // namespace nightshift::db
