#include <algorithm>
#include <unordered_set>

#include "db/job_rows.h"
#include "db/sqlite_store.h"

namespace nightshift::db {

namespace {

/// scheduler.md 5.5: priority rises by one for each half hour of waiting for room, by at most 50.
constexpr Millis kAgeingStep = minutes(30);
constexpr std::int64_t kAgeingMax = 50;
constexpr Millis kPreemptionWindow = hours(24);

std::int64_t effective_priority(const Job& job, UnixMs now) {
    if (!job.eligible_since || *job.eligible_since >= now) return job.spec.priority;
    const std::int64_t age = (now - *job.eligible_since).value / kAgeingStep.value;
    return job.spec.priority + std::min(age, kAgeingMax);
}

Lease read_lease(const Statement& row, int column) {
    Lease lease;
    lease.attempt = {JobId{row.integer(column)}, static_cast<int>(row.integer(column + 1))};
    lease.device = row.text(column + 2);
    lease.budget = row.bytes(column + 3);
    lease.used = row.bytes(column + 4);
    lease.peak = row.bytes(column + 5);
    lease.is_reclaiming = row.flag(column + 6);
    lease.grade = parse_enforcement_grade(row.text(column + 7)).value_or(EnforcementGrade::kNone);
    return lease;
}

}  // namespace

Status SqliteStore::load_planning(Snapshot& snapshot, UnixMs now) {
    NIGHTSHIFT_TRY(load_live(snapshot, now));
    NIGHTSHIFT_TRY(read_leases(snapshot));
    // INDEXED BY: without statistics SQLite would rather walk every waiting job than the few that matter.
    snapshot.waiting_count.fill(0);
    Statement counts(*connection_,
                     "SELECT class, SUM(count) FROM tally WHERE state = 'waiting' GROUP BY class");
    NIGHTSHIFT_TRY(counts.each([&] {
        if (const auto job_class = parse_job_class(counts.text(0))) {
            snapshot.waiting_count[static_cast<std::size_t>(*job_class)] = counts.integer(1);
        }
    }));
    for (const JobClass job_class : kJobClasses) NIGHTSHIFT_TRY(load_candidates(snapshot, job_class, now));
    NIGHTSHIFT_TRY(load_stats(snapshot));
    NIGHTSHIFT_TRY(load_pause(snapshot, now));
    Statement last(*connection_, "SELECT MAX(at_ms) FROM preemption");
    if (const auto row = last.step(); !row) return row.error();
    snapshot.last_preemption_at = last.maybe<UnixMs>(0);
    Statement timer(
        *connection_,
        "SELECT MIN(t) FROM (SELECT (SELECT MIN(wake_at_ms) FROM job INDEXED BY job_wake WHERE state = "
        "'waiting' AND wake_at_ms IS NOT NULL) AS t UNION ALL SELECT (SELECT MIN(start_deadline_ms) FROM "
        "job INDEXED BY job_deadline WHERE state = 'waiting' AND start_deadline_ms IS NOT NULL))");
    if (const auto row = timer.step(); !row) return row.error();
    snapshot.next_timer_hint = timer.maybe<UnixMs>(0);
    return {};
}

Status SqliteStore::load_live(Snapshot& snapshot, UnixMs now) {
    snapshot.live.clear();
    Statement rows(*connection_,
                   "SELECT * FROM job_view WHERE id IN (SELECT id FROM job INDEXED BY job_live WHERE state "
                   "IN ('starting', "
                   "'running', 'yielding', 'parked', 'stopping')) ORDER BY id");
    Status inner;
    NIGHTSHIFT_TRY(rows.each([&] {
        LiveJob live;
        live.job = read_job(rows);
        if (Status done = complete_job(*connection_, rows, live.job); !done) inner = done;
        snapshot.live.push_back(std::move(live));
    }));
    if (!inner) return inner;
    for (LiveJob& live : snapshot.live) {
        Statement attempt(*connection_, "SELECT * FROM attempt_view WHERE job_id = ? AND number = ?",
                          live.job.id, live.job.attempt);
        const auto has_attempt = attempt.step();
        if (!has_attempt) return has_attempt.error();
        if (*has_attempt) live.attempt = read_attempt(attempt);
        Statement checkpoint(
            *connection_,
            "SELECT committed_at_ms FROM checkpoint_view WHERE job_id = ? ORDER BY id DESC LIMIT 1",
            live.job.id);
        const auto has_checkpoint = checkpoint.step();
        if (!has_checkpoint) return has_checkpoint.error();
        if (*has_checkpoint) live.last_checkpoint_at = checkpoint.time(0);
        Statement preempted(*connection_,
                            "SELECT at_ms FROM preemption WHERE job_id = ? AND at_ms > ? ORDER BY attempt",
                            live.job.id, now - kPreemptionWindow);
        NIGHTSHIFT_TRY(preempted.each([&] { live.preempted_at.push_back(preempted.time(0)); }));
    }
    return {};
}

Status SqliteStore::read_leases(Snapshot& snapshot) {
    snapshot.reclaiming.clear();
    Statement rows(*connection_,
                   "SELECT job_id, number, device, budget, used, peak, is_reclaiming, grade FROM lease");
    return rows.each([&] {
        Lease lease = read_lease(rows, 0);
        if (lease.is_reclaiming) {
            snapshot.reclaiming.push_back(std::move(lease));
            return;
        }
        for (LiveJob& live : snapshot.live) {
            if (live.attempt.id == lease.attempt) live.lease = lease;
        }
    });
}

Status SqliteStore::load_candidates(Snapshot& snapshot, JobClass job_class, UnixMs now) {
    // The best by stored order and the longest eligible: whoever leads once age counts is in one of them.
    std::vector<Job>& out = snapshot.candidates[static_cast<std::size_t>(job_class)];
    out.clear();
    std::unordered_set<std::int64_t> seen;
    const auto take = [&](const Statement& row) {
        if (seen.insert(row.integer(0)).second) out.push_back(read_job(row));
    };
    Statement ready(
        *connection_,
        "SELECT * FROM job_hot_view WHERE class = ? AND state = 'waiting' AND held = 0 AND deps_open = 0 "
        "AND wake_at_ms IS NULL ORDER BY priority DESC, order_key LIMIT ?",
        to_string(job_class), kCandidatesPerClass);
    NIGHTSHIFT_TRY(ready.each([&] { take(ready); }));
    auto& horizon = horizons_[static_cast<std::size_t>(job_class)];
    horizon.reset();
    if (out.size() >= static_cast<std::size_t>(kCandidatesPerClass))
        horizon = Horizon{out.back().spec.priority, out.back().order_key};
    Statement aged(
        *connection_,
        "SELECT * FROM job_hot_view WHERE class = ? AND state = 'waiting' AND held = 0 AND deps_open = 0 "
        "AND wake_at_ms IS NULL AND eligible_since_ms IS NOT NULL ORDER BY eligible_since_ms LIMIT ?",
        to_string(job_class), kCandidatesPerClass);
    NIGHTSHIFT_TRY(aged.each([&] { take(aged); }));
    // Due, but not yet woken by wake_due(): only a reader between two passes sees these.
    Statement due(
        *connection_,
        "SELECT * FROM job_hot_view WHERE id IN (SELECT id FROM job INDEXED BY job_wake WHERE state = "
        "'waiting' AND wake_at_ms IS NOT NULL AND wake_at_ms <= ?2 AND class = ?1 AND held = 0 AND "
        "deps_open = 0 ORDER BY wake_at_ms LIMIT ?3)",
        to_string(job_class), now, kCandidatesPerClass);
    NIGHTSHIFT_TRY(due.each([&] { take(due); }));
    std::sort(out.begin(), out.end(), [now](const Job& a, const Job& b) {
        const std::int64_t first = effective_priority(a, now);
        const std::int64_t second = effective_priority(b, now);
        if (first != second) return first > second;
        return a.order_key < b.order_key;
    });
    if (out.size() > static_cast<std::size_t>(kCandidatesPerClass)) out.resize(kCandidatesPerClass);
    return {};
}

Status SqliteStore::load_stats(Snapshot& snapshot) {
    if (!stats_) {
        std::vector<KindStats> stats;
        std::vector<std::int64_t> times;
        const auto close = [&] {
            if (stats.empty() || times.empty()) return;
            std::sort(times.begin(), times.end());
            const auto at = [&](double q) {
                return Millis{
                    times[static_cast<std::size_t>(q * static_cast<double>(times.size() - 1) + 0.5)]};
            };
            stats.back().runs = static_cast<int>(times.size());
            stats.back().run_time_p50 = at(0.5);
            stats.back().run_time_p90 = at(0.9);
            times.clear();
        };
        Statement rows(*connection_, "SELECT kind, run_time_ms, peak_vram FROM run_stat ORDER BY kind, id");
        NIGHTSHIFT_TRY(rows.each([&] {
            const std::string kind = rows.text(0);
            if (stats.empty() || stats.back().kind != kind) {
                close();
                stats.emplace_back();
                stats.back().kind = kind;
            }
            times.push_back(rows.integer(1));
            stats.back().peak_vram_max = std::max(stats.back().peak_vram_max, rows.bytes(2));
        }));
        close();
        stats_ = std::move(stats);
    }
    snapshot.stats = *stats_;
    return {};
}

Status SqliteStore::load_pause(Snapshot& snapshot, UnixMs now) {
    const auto paused = setting("pause");
    if (!paused) return paused.error();
    snapshot.is_paused = paused->value_or("0") == "1";
    snapshot.pause_reason.clear();
    snapshot.pause_until.reset();
    if (!snapshot.is_paused) return {};
    const auto reason = setting("pause_reason");
    if (!reason) return reason.error();
    snapshot.pause_reason = reason->value_or("");
    const auto until = setting("pause_until");
    if (!until) return until.error();
    if (!until->value_or("").empty()) {
        snapshot.pause_until = UnixMs{std::strtoll((*until)->c_str(), nullptr, 10)};
        if (*snapshot.pause_until <= now) snapshot.is_paused = false;
    }
    return {};
}

Result<int> SqliteStore::wake_due(UnixMs now, int limit) {
    Statement update(
        *connection_,
        "UPDATE job SET wake_at_ms = NULL WHERE id IN (SELECT id FROM job INDEXED BY job_wake WHERE state = "
        "'waiting' AND wake_at_ms IS NOT NULL AND wake_at_ms <= ? ORDER BY wake_at_ms LIMIT ?)",
        now, limit);
    NIGHTSHIFT_TRY(update.run());
    return connection_->changes();
}

Result<std::vector<JobId>> SqliteStore::jobs_past_start_deadline(UnixMs now, int limit) {
    std::vector<JobId> ids;
    Statement rows(*connection_,
                   "SELECT id FROM job INDEXED BY job_deadline WHERE state = 'waiting' AND start_deadline_ms "
                   "IS NOT NULL AND "
                   "start_deadline_ms <= ? ORDER BY start_deadline_ms LIMIT ?",
                   now, limit);
    NIGHTSHIFT_TRY(rows.each([&] { ids.push_back(JobId{rows.integer(0)}); }));
    return ids;
}

Status SqliteStore::set_wait_reasons(JobId id, const std::vector<std::string>& codes, UnixMs now) {
    std::vector<std::string> open;
    Statement rows(*connection_, "SELECT reason FROM wait_span WHERE job_id = ? AND to_ms IS NULL", id);
    NIGHTSHIFT_TRY(rows.each([&] { open.push_back(rows.text(0)); }));
    for (const std::string& reason : open) {
        if (std::find(codes.begin(), codes.end(), reason) != codes.end()) continue;
        Statement end(*connection_,
                      "UPDATE wait_span SET to_ms = ?3 WHERE job_id = ?1 AND reason = ?2 AND to_ms IS NULL",
                      id, reason, now);
        NIGHTSHIFT_TRY(end.run());
    }
    for (const std::string& code : codes) {
        if (std::find(open.begin(), open.end(), code) != open.end()) continue;
        // A gate that closes again in the same millisecond goes on with its span.
        Statement begin(*connection_,
                        "INSERT INTO wait_span (job_id, reason, from_ms) VALUES (?, ?, ?) "
                        "ON CONFLICT DO UPDATE SET to_ms = NULL",
                        id, code, now);
        NIGHTSHIFT_TRY(begin.run());
    }
    return {};
}

Status SqliteStore::end_wait_spans(JobId id, UnixMs now) {
    Statement end(*connection_, "UPDATE wait_span SET to_ms = ?2 WHERE job_id = ?1 AND to_ms IS NULL", id,
                  now);
    return end.run();
}

}  // namespace nightshift::db
