#include "db/queries.h"

#include <algorithm>

#include "db/history_rows.h"
#include "db/idempotency.h"
#include "db/imported_rows.h"
#include "db/job_pages.h"
#include "db/job_rows.h"
#include "db/statement.h"
#include "db/store.h"

namespace nightshift::db {

namespace {

constexpr int kEventsMax = 10'000;

StoredEvent read_event(const Statement& row) {
    StoredEvent event;
    event.seq = EventSeq{row.integer(0)};
    event.at = row.time(1);
    event.topic = row.text(2);
    event.kind = row.text(3);
    event.job = JobId{row.integer(4)};
    event.attempt = static_cast<int>(row.integer(5));
    event.actor = row.text(6);
    event.data_json = row.text(7);
    return event;
}

class SqliteQueries final : public Queries {
  public:
    explicit SqliteQueries(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}

    Result<std::optional<Job>> job(JobId id) override { return find_job(*connection_, id); }
    Result<JobPage> jobs(const JobFilter& filter) override { return read_job_page(*connection_, filter); }
    Result<std::vector<Attempt>> attempts(JobId id) override;
    Result<std::vector<StoredArtifact>> artifacts(JobId id) override;
    Result<std::vector<StoredEvent>> events(JobId job, EventSeq after, int limit) override;
    Result<std::optional<std::vector<StoredEvent>>> events_after(EventSeq after, int limit) override;
    Result<EventSeq> last_event() override;
    Result<std::vector<WaitSpan>> wait_spans(JobId id) override;
    Result<std::vector<Schedule>> schedules() override;
    Result<std::optional<Schedule>> schedule(const std::string& name) override;
    Result<std::vector<StateCount>> counts() override;
    Result<std::vector<StoredToken>> tokens() override;
    Result<std::optional<IdempotentAnswer>> idempotent(const std::string& scope,
                                                       const std::string& key) override {
        return find_idempotent(*connection_, scope, key);
    }
    Result<std::string> database_id() override { return read_database_id(*connection_); }
    Result<FinishedIds> finished_after(JobId after, int limit) override {
        return read_finished_after(*connection_, after, limit);
    }
    Result<std::optional<JobHistory>> job_history(JobId id) override {
        return gather_job_history(*this, *connection_, id);
    }
    Result<std::vector<StoredFire>> fires_after(const std::string& schedule, UnixMs nominal,
                                                int limit) override {
        return read_fires_after(*connection_, schedule, nominal, limit);
    }
    Result<std::vector<std::string>> imported_origins() override {
        return read_imported_origins(*connection_);
    }
    Result<std::vector<ImportedLine>> imported_after(const ImportedLine& after, int limit) override {
        return read_imported_after(*connection_, after, limit);
    }
    Result<std::vector<ImportedLine>> imported_jobs(const std::string& origin, std::int64_t before,
                                                    int limit) override {
        return read_imported_jobs(*connection_, origin, before, limit);
    }
    Result<std::vector<StoredImport>> imports(int limit) override {
        return read_imports(*connection_, limit);
    }

  private:
    std::unique_ptr<Connection> connection_;
};

Result<std::vector<Attempt>> SqliteQueries::attempts(JobId id) {
    std::vector<Attempt> all;
    Statement rows(*connection_, "SELECT * FROM attempt_view WHERE job_id = ? ORDER BY number", id);
    NIGHTSHIFT_TRY(rows.each([&] { all.push_back(read_attempt(rows)); }));
    return all;
}

Result<std::vector<StoredArtifact>> SqliteQueries::artifacts(JobId id) {
    std::vector<StoredArtifact> all;
    Statement rows(
        *connection_,
        "SELECT attempt, name, type, bytes, sha256 FROM artifact WHERE job_id = ? ORDER BY attempt, name",
        id);
    NIGHTSHIFT_TRY(rows.each([&] {
        all.push_back(
            {static_cast<int>(rows.integer(0)), rows.text(1), rows.text(2), rows.bytes(3), rows.text(4)});
    }));
    return all;
}

Result<std::vector<StoredEvent>> SqliteQueries::events(JobId job, EventSeq after, int limit) {
    std::vector<StoredEvent> all;
    Statement rows(*connection_,
                   "SELECT seq, at_ms, topic, kind, job_id, attempt, actor, data FROM event "
                   "WHERE job_id = ? AND job_id <> 0 AND seq > ? ORDER BY seq LIMIT ?",
                   job, after, std::clamp(limit, 1, kEventsMax));
    NIGHTSHIFT_TRY(rows.each([&] { all.push_back(read_event(rows)); }));
    return all;
}

Result<std::optional<std::vector<StoredEvent>>> SqliteQueries::events_after(EventSeq after, int limit) {
    using Answer = std::optional<std::vector<StoredEvent>>;
    Statement first(*connection_, "SELECT MIN(seq) FROM event");
    if (const auto row = first.step(); !row) return row.error();
    const auto last = last_event();
    if (!last) return last.error();
    const std::int64_t kept_from = first.is_null(0) ? last->value + 1 : first.integer(0);
    if (after.value < kept_from - 1) return Answer{};
    std::vector<StoredEvent> all;
    Statement rows(*connection_,
                   "SELECT seq, at_ms, topic, kind, job_id, attempt, actor, data FROM event WHERE seq > ? "
                   "ORDER BY seq LIMIT ?",
                   after, std::clamp(limit, 1, kEventsMax));
    NIGHTSHIFT_TRY(rows.each([&] { all.push_back(read_event(rows)); }));
    return Answer(std::move(all));
}

Result<EventSeq> SqliteQueries::last_event() {
    Statement row(*connection_, "SELECT seq FROM sqlite_sequence WHERE name = 'event'");
    const auto has_row = row.step();
    if (!has_row) return has_row.error();
    return EventSeq{*has_row ? row.integer(0) : 0};
}

Result<std::vector<WaitSpan>> SqliteQueries::wait_spans(JobId id) {
    std::vector<WaitSpan> all;
    Statement rows(*connection_,
                   "SELECT reason, from_ms, to_ms FROM wait_span WHERE job_id = ? ORDER BY from_ms, reason",
                   id);
    NIGHTSHIFT_TRY(rows.each([&] { all.push_back({rows.text(0), rows.time(1), rows.maybe<UnixMs>(2)}); }));
    return all;
}

Result<std::vector<Schedule>> SqliteQueries::schedules() {
    return read_schedules(*connection_);
}

Result<std::optional<Schedule>> SqliteQueries::schedule(const std::string& name) {
    Statement row(*connection_, "SELECT * FROM schedule WHERE name = ?", name);
    const auto has_row = row.step();
    if (!has_row) return has_row.error();
    if (!*has_row) return std::optional<Schedule>{};
    auto schedule = read_schedule(row);
    if (!schedule) return schedule.error();
    return std::optional<Schedule>(std::move(*schedule));
}

Result<std::vector<StateCount>> SqliteQueries::counts() {
    std::vector<StateCount> all;
    Statement rows(*connection_,
                   "SELECT state, kind, SUM(count) FROM tally GROUP BY state, kind HAVING SUM(count) > 0");
    NIGHTSHIFT_TRY(rows.each([&] {
        if (const auto state = parse_job_state(rows.text(0)))
            all.push_back({*state, rows.text(1), rows.integer(2)});
    }));
    return all;
}

Result<std::vector<StoredToken>> SqliteQueries::tokens() {
    std::vector<StoredToken> all;
    Statement rows(*connection_, "SELECT sha256, role, label, expires_at_ms FROM token ORDER BY sha256");
    NIGHTSHIFT_TRY(rows.each([&] {
        all.push_back({rows.text(0), rows.text(1), rows.text(2), rows.maybe<UnixMs>(3)});
    }));
    return all;
}

}  // namespace

Result<std::unique_ptr<Queries>> open_queries(const std::string& path) {
    auto connection = Connection::open(path, Connection::Mode::kReader);
    if (!connection) return connection.error();
    return std::unique_ptr<Queries>(std::make_unique<SqliteQueries>(std::move(*connection)));
}

}  // namespace nightshift::db
