#include "db/history_rows.h"

#include <algorithm>

#include "db/statement.h"

namespace nightshift::db {

namespace {

/// Numbers of jobs looked at for one answer about ended ones: most may still wait.
constexpr std::int64_t kFinishedStretch = 2000;
constexpr int kRowsMax = 200;

template <typename Row>
Status put(std::vector<Row>& part, Result<std::vector<Row>> read) {
    if (!read) return read.error();
    part = std::move(*read);
    return {};
}

}  // namespace

Result<std::string> read_database_id(Connection& connection) {
    Statement row(connection, "SELECT value FROM setting WHERE name = 'database_id'");
    const auto has_row = row.step();
    if (!has_row) return has_row.error();
    if (*has_row) return row.text(0);
    return Error{ErrorCode::kCorrupt, "database_damaged", "The database has lost its name.",
                 "Restart nightshiftd: it gets a new one.", ""};
}

Result<FinishedIds> read_finished_after(Connection& connection, JobId after, int limit) {
    FinishedIds found;
    const JobId end{after.value + kFinishedStretch};
    const auto wanted = static_cast<std::size_t>(std::clamp(limit, 1, kRowsMax));
    Statement rows(
        connection,
        "SELECT id FROM job WHERE id > ? AND id <= ? AND ended_at_ms IS NOT NULL ORDER BY id LIMIT ?", after,
        end, static_cast<std::int64_t>(wanted));
    NIGHTSHIFT_TRY(rows.each([&] { found.ids.push_back(JobId{rows.integer(0)}); }));
    Statement last(connection, "SELECT MAX(id) FROM job");
    if (const auto row = last.step(); !row) return row.error();
    const JobId seen = found.ids.size() == wanted ? found.ids.back() : end;
    if (seen.value < last.integer(0)) found.next_after = seen;
    return found;
}

Result<std::vector<StoredCheckpoint>> read_checkpoints(Connection& connection, JobId id) {
    std::vector<StoredCheckpoint> all;
    Statement rows(connection,
                   "SELECT attempt, step, bytes, sha256, committed_at_ms FROM checkpoint_view WHERE job_id = "
                   "? ORDER BY id",
                   id);
    NIGHTSHIFT_TRY(rows.each([&] {
        all.push_back(
            {static_cast<int>(rows.integer(0)), rows.integer(1), rows.bytes(2), rows.text(3), rows.time(4)});
    }));
    return all;
}

Result<std::vector<StoredFire>> read_fires_after(Connection& connection, const std::string& schedule,
                                                 UnixMs nominal, int limit) {
    std::vector<StoredFire> all;
    const int wanted = std::clamp(limit, 1, kRowsMax);
    const auto add = [&](Statement& rows) {
        return rows.each([&] {
            all.push_back({rows.text(0), rows.time(1), rows.time(2), rows.text(3), rows.text(4)});
        });
    };
    Statement same(connection,
                   "SELECT s.name, f.nominal_ms, f.at_ms, f.decision, f.reason FROM schedule AS s JOIN "
                   "schedule_fire AS f ON f.schedule_id = s.id WHERE s.name = ? AND f.nominal_ms > ? "
                   "ORDER BY f.nominal_ms LIMIT ?",
                   schedule, nominal, wanted);
    NIGHTSHIFT_TRY(add(same));
    if (static_cast<int>(all.size()) == wanted) return all;
    Statement next(connection,
                   "SELECT s.name, f.nominal_ms, f.at_ms, f.decision, f.reason FROM schedule AS s JOIN "
                   "schedule_fire AS f ON f.schedule_id = s.id WHERE s.name > ? ORDER BY s.name, "
                   "f.nominal_ms LIMIT ?",
                   schedule, wanted - static_cast<int>(all.size()));
    NIGHTSHIFT_TRY(add(next));
    return all;
}

Result<std::optional<JobHistory>> gather_job_history(Queries& queries, Connection& connection, JobId id) {
    auto job = queries.job(id);
    if (!job) return job.error();
    if (!*job) return std::optional<JobHistory>{};
    JobHistory history;
    history.job = std::move(**job);
    NIGHTSHIFT_TRY(put(history.attempts, queries.attempts(id)));
    NIGHTSHIFT_TRY(put(history.events, queries.events(id, {}, kHistoryEventsMax)));
    NIGHTSHIFT_TRY(put(history.waits, queries.wait_spans(id)));
    NIGHTSHIFT_TRY(put(history.checkpoints, read_checkpoints(connection, id)));
    NIGHTSHIFT_TRY(put(history.artifacts, queries.artifacts(id)));
    return std::optional<JobHistory>(std::move(history));
}

}  // namespace nightshift::db
