// What the planner looks back on: run times and peaks of earlier runs, time that classes held a device,
// and why jobs waited.
#include <algorithm>
#include <map>

#include "db/sqlite_store.h"

namespace nightshift::db {

namespace {

constexpr std::int64_t kHour = hours(1).value;
/// One hour more than the day that is looked back on: the oldest one counts in full.
constexpr std::int64_t kHoursKept = 25;

/// The runs of one kind or of one group of it.
struct Runs {
    KindStats stats;
    std::vector<std::int64_t> times;

    void add(std::int64_t time, Bytes peak, Bytes budget) {
        times.push_back(time);
        stats.peak_vram_max = std::max(stats.peak_vram_max, peak);
        stats.budget_max = std::max(stats.budget_max, budget);
    }
    KindStats closed() {
        std::sort(times.begin(), times.end());
        const auto at = [this](double q) {
            return Millis{times[static_cast<std::size_t>(q * static_cast<double>(times.size() - 1) + 0.5)]};
        };
        stats.runs = static_cast<int>(times.size());
        stats.run_time_p50 = at(0.5);
        stats.run_time_p90 = at(0.9);
        return stats;
    }
};

}  // namespace

Result<std::shared_ptr<const std::vector<KindStats>>> SqliteStore::run_stats() {
    if (stats_) return stats_;
    std::map<std::pair<std::string, std::string>, Runs> runs;
    Statement rows(*connection_,
                   "SELECT kind, run_time_ms, peak_vram, spec_group, budget FROM run_stat ORDER BY kind, id");
    NIGHTSHIFT_TRY(rows.each([&] {
        const std::string kind = rows.text(0);
        const auto add = [&](const std::string& group) {
            Runs& of = runs[{kind, group}];
            of.stats.kind = kind;
            of.stats.group = group;
            of.add(rows.integer(1), rows.bytes(2), rows.bytes(4));
        };
        add("");
        if (const std::string group = rows.text(3); !group.empty()) add(group);
    }));
    auto stats = std::make_shared<std::vector<KindStats>>();
    for (auto& [key, of] : runs) stats->push_back(of.closed());
    stats_ = std::move(stats);
    return stats_;
}

Status SqliteStore::keep_gpu_time(const AttemptId& id, UnixMs now) {
    Statement row(*connection_,
                  "SELECT a.granted_at_ms, j.class FROM attempt AS a JOIN job AS j ON j.id = a.job_id "
                  "JOIN lease AS l ON l.job_id = a.job_id AND l.number = a.number "
                  "WHERE a.job_id = ? AND a.number = ? AND l.budget > 0",
                  id.job, id.number);
    const auto has_row = row.step();
    if (!has_row) return has_row.error();
    if (!*has_row) return {};  // it held no device
    const std::string job_class = row.text(1);
    const std::int64_t oldest = now.value / kHour * kHour - kHoursKept * kHour;
    for (std::int64_t from = std::max(row.integer(0), oldest); from < now.value;) {
        const std::int64_t hour = from / kHour * kHour;
        const std::int64_t to = std::min(hour + kHour, now.value);
        Statement add(*connection_,
                      "INSERT INTO gpu_time (hour_ms, class, held_ms) VALUES (?, ?, ?) "
                      "ON CONFLICT DO UPDATE SET held_ms = held_ms + excluded.held_ms",
                      hour, job_class, to - from);
        NIGHTSHIFT_TRY(add.run());
        from = to;
    }
    Statement old(*connection_, "DELETE FROM gpu_time WHERE hour_ms < ?", oldest);
    return old.run();
}

Status SqliteStore::load_gpu_time(Snapshot& snapshot, UnixMs now) {
    snapshot.gpu_time.fill(Millis{});
    const std::int64_t from = now.value / kHour * kHour - 24 * kHour;
    Statement rows(*connection_, "SELECT class, SUM(held_ms) FROM gpu_time WHERE hour_ms >= ? GROUP BY class",
                   from);
    return rows.each([&] {
        if (const auto job_class = parse_job_class(rows.text(0))) {
            snapshot.gpu_time[static_cast<std::size_t>(*job_class)] = Millis{rows.integer(1)};
        }
    });
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

Status SqliteStore::note_standing_reasons(JobId id, UnixMs now) {
    Statement row(*connection_,
                  "SELECT held, deps_open > 0, COALESCE(not_before_ms, 0) > ?2 AND wake_at_ms IS NOT NULL, "
                  "COALESCE(retry_at_ms, 0) > ?2 AND wake_at_ms IS NOT NULL "
                  "FROM job WHERE id = ?1 AND state = 'waiting'",
                  id, now);
    const auto has_row = row.step();
    if (!has_row) return has_row.error();
    if (!*has_row) return {};
    std::vector<std::string> codes;
    if (row.flag(0)) codes.emplace_back("held");
    if (row.flag(1)) codes.emplace_back("dep_waiting");
    if (row.flag(2)) codes.emplace_back("not_before");
    if (row.flag(3)) codes.emplace_back("retry_backoff");
    // With one of these closed the planner does not see the job: its own reasons end here.
    if (!codes.empty()) return set_wait_reasons(id, codes, now);
    Statement end(*connection_,
                  "UPDATE wait_span SET to_ms = ?2 WHERE job_id = ?1 AND to_ms IS NULL "
                  "AND reason IN ('held', 'dep_waiting', 'not_before', 'retry_backoff')",
                  id, now);
    return end.run();
}

}  // namespace nightshift::db
