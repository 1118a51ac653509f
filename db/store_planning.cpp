#include <algorithm>
#include <unordered_set>

#include "db/job_rows.h"
#include "db/sqlite_store.h"
#include "scheduler/groups.h"
#include "scheduler/order.h"
#include "scheduler/windows.h"

namespace nightshift::db {

namespace {

constexpr Millis kPreemptionWindow = hours(24);

constexpr int kGroupLookAhead = 8;
/// Places of the list that belong to the longest waiting jobs, whatever their priority: they grow older
/// only once they were looked at.
constexpr int kOldestKept = 8;

constexpr const char* kFirstWindow =
    "SELECT MIN(window_name) FROM job INDEXED BY job_ready WHERE class = ? AND state = 'waiting' AND held = "
    "0 "
    "AND deps_open = 0 AND wake_at_ms IS NULL";
constexpr const char* kNextWindow =
    "SELECT MIN(window_name) FROM job INDEXED BY job_ready WHERE class = ? AND state = 'waiting' AND held = "
    "0 "
    "AND deps_open = 0 AND wake_at_ms IS NULL AND window_name > ?";
constexpr const char* kReady =
    "SELECT * FROM job_hot_view WHERE class = ? AND window_name = ? AND state = 'waiting' AND held = 0 AND "
    "deps_open = 0 AND wake_at_ms IS NULL ORDER BY priority DESC, order_key LIMIT ?";
// Of those that age puts first most were found by their priority: their rows are read once.
constexpr const char* kAged =
    "SELECT id FROM job INDEXED BY job_aged WHERE class = ? AND state = 'waiting' AND held = 0 AND deps_open "
    "= 0 "
    "AND wake_at_ms IS NULL AND eligible_since_ms IS NOT NULL "
    "ORDER BY eligible_since_ms - eligible_ms LIMIT ?";
constexpr const char* kRested =
    "SELECT id FROM job INDEXED BY job_rested WHERE class = ? AND state = 'waiting' AND held = 0 AND "
    "deps_open = 0 "
    "AND wake_at_ms IS NULL AND eligible_since_ms IS NULL AND eligible_ms > 0 "
    "ORDER BY eligible_ms DESC LIMIT ?";
constexpr const char* kOldest =
    "SELECT id FROM job WHERE id IN (SELECT id FROM job INDEXED BY job_order WHERE class = ?1 AND "
    "state = 'waiting' ORDER BY order_key LIMIT ?2) AND held = 0 AND deps_open = 0 AND wake_at_ms IS NULL "
    "ORDER BY order_key LIMIT ?3";
constexpr const char* kOne = "SELECT * FROM job_hot_view WHERE id = ?";
constexpr const char* kDue =
    "SELECT * FROM job_hot_view WHERE id IN (SELECT id FROM job INDEXED BY job_wake WHERE state = "
    "'waiting' AND wake_at_ms IS NOT NULL AND wake_at_ms <= ?2 AND class = ?1 AND held = 0 AND "
    "deps_open = 0 ORDER BY wake_at_ms LIMIT ?3)";

/// The part of `found` (in planning order) that a pass looks at, in the same order: first those that
/// nothing standing is known to be in the way of, with places for the oldest, then the others.
template <typename IsInTheWay>
std::vector<Job> first_candidates(std::vector<Job> found, IsInTheWay is_in_the_way,
                                  const std::unordered_set<std::int64_t>& oldest) {
    constexpr auto kMax = static_cast<std::size_t>(kCandidatesPerClass);
    if (found.size() <= kMax) return found;
    std::vector<bool> is_kept(found.size());
    std::size_t kept = 0;
    const auto keep = [&](std::size_t most, auto is_wanted) {
        for (std::size_t i = 0; i < found.size() && kept < most; ++i) {
            if (is_kept[i] || !is_wanted(found[i])) continue;
            is_kept[i] = true;
            ++kept;
        }
    };
    const auto is_free = [&](const Job& job) { return !is_in_the_way(job); };
    keep(kMax - static_cast<std::size_t>(kOldestKept), is_free);
    keep(kMax, [&](const Job& job) { return is_free(job) && oldest.contains(job.id.value); });
    keep(kMax, is_free);
    keep(kMax, [](const Job&) { return true; });
    std::vector<Job> out;
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (is_kept[i]) out.push_back(std::move(found[i]));
    }
    return out;
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
    const auto stats = run_stats();
    if (!stats) return stats.error();
    snapshot.stats = **stats;
    NIGHTSHIFT_TRY(load_gpu_time(snapshot, now));
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
                   "SELECT * FROM job_view WHERE id IN (SELECT id FROM job INDEXED BY job_live WHERE "
                   "state <> 'waiting' AND ended_at_ms IS NULL) ORDER BY id");
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
    // A group at its limit must not fill the list: look further there.
    const int limit = kCandidatesPerClass * (snapshot.policy.groups.empty() ? 1 : kGroupLookAhead);
    std::vector<Job> found;
    std::unordered_set<std::int64_t> seen;
    const auto take = [&](Statement& rows) {
        return rows.each([&] {
            if (seen.insert(rows.integer(0)).second) found.push_back(read_job(rows));
        });
    };
    const auto take_those = [&](const std::vector<std::int64_t>& ids) -> Status {
        for (const std::int64_t id : ids) {
            if (seen.contains(id)) continue;
            Statement one(*connection_, kOne, id);
            NIGHTSHIFT_TRY(take(one));
        }
        return {};
    };
    auto& horizons = horizons_[static_cast<std::size_t>(job_class)];
    horizons.clear();
    // Window by window, so that a thousand jobs of a closed one do not hide a job that may start.
    std::optional<std::string> window;
    while (true) {
        const auto next = next_window(job_class, window);
        if (!next) return next.error();
        if (!*next) break;
        window = **next;
        Statement ready(*connection_, kReady, to_string(job_class), *window, limit);
        const std::size_t before = found.size();
        NIGHTSHIFT_TRY(take(ready));
        // A full page: what comes behind its last job is not looked at.
        if (found.size() - before >= static_cast<std::size_t>(limit)) {
            horizons[*window] = {found.back().spec.priority, found.back().order_key};
        }
    }
    // Whoever leads once age counts: those that grow older, those that did, and the oldest of all.
    std::vector<std::int64_t> leading;
    for (const char* sql : {kAged, kRested}) {
        Statement aged(*connection_, sql, to_string(job_class), limit);
        NIGHTSHIFT_TRY(aged.each([&] { leading.push_back(aged.integer(0)); }));
    }
    std::unordered_set<std::int64_t> oldest;
    Statement first(*connection_, kOldest, to_string(job_class), kCandidatesPerClass, kOldestKept);
    NIGHTSHIFT_TRY(first.each([&] {
        oldest.insert(first.integer(0));
        leading.push_back(first.integer(0));
    }));
    NIGHTSHIFT_TRY(take_those(leading));
    // Due, but not yet woken by wake_due(): only a reader between two passes sees these.
    Statement due(*connection_, kDue, to_string(job_class), now, kCandidatesPerClass);
    NIGHTSHIFT_TRY(take(due));
    if (!snapshot.policy.groups.empty()) NIGHTSHIFT_TRY(load_labels(found));
    std::sort(found.begin(), found.end(),
              [now](const Job& a, const Job& b) { return goes_before(a, b, now); });
    const auto is_in_the_way = [&](const Job& job) {
        const std::string& own = window_of(job.spec, snapshot.policy);
        const auto& closed = snapshot.closed_windows;
        return std::find(closed.begin(), closed.end(), own) != closed.end() ||
               is_group_full(snapshot, job.spec);
    };
    snapshot.candidates[static_cast<std::size_t>(job_class)] =
        first_candidates(std::move(found), is_in_the_way, oldest);
    return {};
}

Result<std::optional<std::string>> SqliteStore::next_window(JobClass job_class,
                                                            const std::optional<std::string>& after) {
    const auto answer = [](Statement& statement) -> Result<std::optional<std::string>> {
        const auto row = statement.step();
        if (!row) return row.error();
        if (!*row || statement.is_null(0)) return std::optional<std::string>{};
        return std::optional<std::string>(statement.text(0));
    };
    if (!after) {
        Statement first(*connection_, kFirstWindow, to_string(job_class));
        return answer(first);
    }
    Statement next(*connection_, kNextWindow, to_string(job_class), *after);
    return answer(next);
}

Status SqliteStore::load_labels(std::vector<Job>& jobs) {
    for (Job& job : jobs) {
        Statement labels(*connection_, "SELECT name, value FROM label WHERE job_id = ?", job.id);
        NIGHTSHIFT_TRY(labels.each([&] { job.spec.labels.emplace_back(labels.text(0), labels.text(1)); }));
    }
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
    Statement reasons(
        *connection_,
        "UPDATE wait_span SET to_ms = ?1 WHERE to_ms IS NULL AND reason IN ('not_before', 'retry_backoff') "
        "AND job_id IN (SELECT id FROM job INDEXED BY job_wake WHERE state = 'waiting' AND "
        "wake_at_ms IS NOT NULL AND wake_at_ms <= ?1 ORDER BY wake_at_ms LIMIT ?2)",
        now, limit);
    NIGHTSHIFT_TRY(reasons.run());
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

}  // namespace nightshift::db
