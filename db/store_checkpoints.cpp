#include "db/job_rows.h"
#include "db/sqlite_store.h"
#include "db/text_list.h"

namespace nightshift::db {

Status SqliteStore::set_progress(const AttemptId& id, const Progress& progress) {
    const std::string metrics = pack_numbers(progress.metrics);
    Statement update(*connection_,
                     "UPDATE job SET progress_phase = ?3, progress_step = ?4, progress_steps = ?5, "
                     "progress_eta_ms = ?6, progress_metrics = ?7 WHERE id = ?1 AND attempt = ?2",
                     id.job, id.number, progress.phase, progress.step, progress.steps, progress.eta,
                     Blob{metrics});
    return update.run();
}

Status SqliteStore::add_checkpoint(const Checkpoint& checkpoint, UnixMs now, const EventText& event) {
    Statement insert(*connection_,
                     "INSERT INTO checkpoint (job_id, attempt, path, step, bytes, sha256, committed_at_ms) "
                     "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                     checkpoint.job, checkpoint.attempt, checkpoint.path, checkpoint.step, checkpoint.bytes,
                     checkpoint.sha256, checkpoint.committed_at);
    NIGHTSHIFT_TRY(insert.run());
    if (connection_->changes() == 0) return {};  // told twice: over the wire and by result.json
    Statement job(*connection_, "UPDATE job SET has_checkpoint = 1 WHERE id = ? AND has_checkpoint = 0",
                  checkpoint.job);
    NIGHTSHIFT_TRY(job.run());
    if (auto added = append_event(event, checkpoint.job, checkpoint.attempt, now); !added)
        return added.error();
    return {};
}

Status SqliteStore::refuse_checkpoint(const AttemptId& by, const std::string& path, UnixMs now,
                                      const EventText& event) {
    Statement bad(
        *connection_,
        "UPDATE checkpoint SET is_bad = 1 WHERE job_id IN (SELECT ?1 UNION ALL SELECT rerun_of FROM job "
        "WHERE id = ?1 AND rerun_of <> 0) AND path = ?2 AND is_bad = 0",
        by.job, path);
    NIGHTSHIFT_TRY(bad.run());
    if (connection_->changes() == 0) return {};
    Statement jobs(
        *connection_,
        "UPDATE job SET has_checkpoint = EXISTS (SELECT 1 FROM checkpoint_view WHERE job_id = job.id) "
        "WHERE id IN (SELECT ?1 UNION ALL SELECT rerun_of FROM job WHERE id = ?1 AND rerun_of <> 0)",
        by.job);
    NIGHTSHIFT_TRY(jobs.run());
    if (const auto added = append_event(event, by.job, by.number, now); !added) return added.error();
    return {};
}

Result<bool> SqliteStore::forget_checkpoints(JobId id, UnixMs ended_before) {
    Statement needed(
        *connection_,
        "SELECT 1 FROM job WHERE id = ?1 AND ended_at_ms < ?2 AND NOT EXISTS (SELECT 1 FROM job "
        "WHERE rerun_of = ?1 AND rerun_of <> 0 AND ended_at_ms IS NULL) AND NOT EXISTS (SELECT 1 "
        "FROM dep JOIN job AS child ON child.id = dep.job_id WHERE dep.on_job = ?1 AND "
        "child.ended_at_ms IS NULL)",
        id, ended_before);
    const auto may_go = needed.step();
    if (!may_go) return may_go.error();
    if (!*may_go) return false;
    Statement rows(*connection_, "DELETE FROM checkpoint WHERE job_id = ?", id);
    NIGHTSHIFT_TRY(rows.run());
    Statement job(*connection_, "UPDATE job SET has_checkpoint = 0 WHERE id = ? AND has_checkpoint = 1", id);
    NIGHTSHIFT_TRY(job.run());
    return true;
}

Result<std::optional<Checkpoint>> SqliteStore::last_checkpoint(JobId id) {
    Statement row(*connection_, "SELECT * FROM checkpoint_view WHERE job_id = ? ORDER BY id DESC LIMIT 1",
                  id);
    const auto has_row = row.step();
    if (!has_row) return has_row.error();
    if (!*has_row) return std::optional<Checkpoint>{};
    return std::optional<Checkpoint>(read_checkpoint(row));
}

}  // namespace nightshift::db
