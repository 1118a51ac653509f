#include "db/job_pages.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <queue>

#include "db/job_rows.h"
#include "db/statement.h"

namespace nightshift::db {

namespace {

constexpr int kPageMax = 200;

struct Group {
    std::string state, job_class, kind;
};

/// Escapes LIKE's wildcards.
std::string contains_pattern(const std::string& text) {
    std::string pattern = "%";
    for (const char c : text) {
        if (c == '%' || c == '_' || c == '\\') pattern += '\\';
        pattern += c;
    }
    return pattern + "%";
}

template <typename T>
bool is_wanted(const std::vector<T>& wanted, const T& value) {
    return wanted.empty() || std::find(wanted.begin(), wanted.end(), value) != wanted.end();
}

/// The groups that have jobs and match. The counts by state know them all, and there are few.
Result<std::vector<Group>> groups_of(Connection& connection, const JobFilter& filter) {
    std::vector<Group> groups;
    Statement rows(connection, "SELECT state, class, kind FROM tally WHERE count > 0");
    NIGHTSHIFT_TRY(rows.each([&] {
        Group group{rows.text(0), rows.text(1), rows.text(2)};
        const auto state = parse_job_state(group.state);
        const auto job_class = parse_job_class(group.job_class);
        if (!state || !job_class) return;
        const bool is_matching = is_wanted(filter.states, *state) && is_wanted(filter.classes, *job_class) &&
                                 is_wanted(filter.kinds, group.kind);
        if (is_matching) groups.push_back(std::move(group));
    }));
    return groups;
}

const char* run_sql(const JobFilter& filter) {
    // The table itself is looked at only for a text in the name. Both partial indexes leave hidden jobs out.
    if (filter.schedule.empty()) {
        return "SELECT id, ?5 = '%%' OR name LIKE ?5 ESCAPE '\\' FROM job INDEXED BY job_by_group "
               "WHERE state = ?1 AND class = ?2 AND kind = ?3 AND id < ?4 AND hidden = 0 AND ?6 = '' "
               "ORDER BY id DESC";
    }
    return "SELECT id, ?5 = '%%' OR name LIKE ?5 ESCAPE '\\' FROM job INDEXED BY job_by_schedule "
           "WHERE schedule = ?6 AND schedule <> '' AND state = ?1 AND class = ?2 AND kind = ?3 AND id < ?4 "
           "AND hidden = 0 ORDER BY id DESC";
}

/// The jobs of one group, newest first, read as far as the merge needs them.
class Run {
  public:
    Run(Connection& connection, const JobFilter& filter, const Group& group, const std::string& pattern,
        std::int64_t before)
        : rows_(connection, run_sql(filter), group.state, group.job_class, group.kind, before, pattern,
                filter.schedule) {}
    /// False at its end.
    Result<bool> next() { return rows_.step(); }
    std::int64_t id() const { return rows_.integer(0); }
    bool is_match() const { return rows_.flag(1); }

  private:
    Statement rows_;
};

struct OlderFirst {
    bool operator()(const std::unique_ptr<Run>& a, const std::unique_ptr<Run>& b) const {
        return a->id() < b->id();
    }
};

}  // namespace

Result<JobPage> read_job_page(Connection& connection, const JobFilter& filter) {
    const auto limit = static_cast<std::size_t>(std::clamp(filter.limit, 1, kPageMax));
    const std::int64_t before =
        filter.before_id > 0 ? filter.before_id : std::numeric_limits<std::int64_t>::max();
    const std::string pattern = contains_pattern(filter.text);
    const auto groups = groups_of(connection, filter);
    if (!groups) return groups.error();
    std::vector<std::unique_ptr<Run>> runs;  // a heap, its newest job at the front
    for (const Group& group : *groups) {
        auto run = std::make_unique<Run>(connection, filter, group, pattern, before);
        const auto has_row = run->next();
        if (!has_row) return has_row.error();
        if (*has_row) runs.push_back(std::move(run));
    }
    std::make_heap(runs.begin(), runs.end(), OlderFirst{});
    std::vector<JobId> ids;
    JobPage page;
    std::int64_t last_id = 0;
    for (int seen = 0; !runs.empty(); ++seen) {
        if (ids.size() == limit || seen == kPageRowsMax) {
            page.next_before_id = last_id;
            break;
        }
        std::pop_heap(runs.begin(), runs.end(), OlderFirst{});
        last_id = runs.back()->id();
        if (runs.back()->is_match()) ids.push_back(JobId{last_id});
        const auto has_row = runs.back()->next();
        if (!has_row) return has_row.error();
        if (*has_row) {
            std::push_heap(runs.begin(), runs.end(), OlderFirst{});
        } else {
            runs.pop_back();
        }
    }
    for (const JobId id : ids) {
        auto job = find_job(connection, id);
        if (!job) return job.error();
        if (*job) page.jobs.push_back(std::move(**job));
    }
    return page;
}

}  // namespace nightshift::db
