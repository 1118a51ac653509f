#include "db/salvage.h"

#include <algorithm>

#include "db/connection.h"
#include "db/history_rows.h"
#include "db/job_rows.h"
#include "db/store.h"

namespace nightshift::db {

namespace {

/// Rows looked at one by one for one page of a list: bounds the time of an answer.
constexpr int kProbesMax = 20'000;
constexpr int kPageMax = 200;

bool is_damage(const Error& error) {
    return error.code == ErrorCode::kCorrupt;
}

/// An empty answer where the rows cannot be read.
template <typename T>
Result<T> or_empty(Result<T> answer) {
    if (!answer && is_damage(answer.error())) return T{};
    return answer;
}

bool matches(const JobFilter& filter, const Job& job) {
    const auto has = [](const auto& list, const auto& value) {
        return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
    };
    return has(filter.states, job.state) && has(filter.kinds, job.spec.kind) &&
           has(filter.classes, job.spec.job_class) && !job.hidden &&
           (filter.schedule.empty() || job.schedule == filter.schedule) &&
           (filter.text.empty() || job.spec.name.find(filter.text) != std::string::npos);
}

class SalvageQueries final : public Queries {
  public:
    SalvageQueries(std::unique_ptr<Queries> inner, std::unique_ptr<Connection> connection,
                   std::vector<StoredToken> tokens)
        : inner_(std::move(inner)), connection_(std::move(connection)), tokens_(std::move(tokens)) {}

    Result<std::optional<Job>> job(JobId id) override {
        auto whole = inner_->job(id);
        if (whole || !is_damage(whole.error())) return whole;
        auto hot = hot_job(id);
        return hot && *hot ? hot : whole;
    }
    Result<JobPage> jobs(const JobFilter& filter) override;
    Result<std::vector<Attempt>> attempts(JobId id) override { return or_empty(inner_->attempts(id)); }
    Result<std::vector<StoredArtifact>> artifacts(JobId id) override {
        return or_empty(inner_->artifacts(id));
    }
    Result<std::vector<StoredEvent>> events(JobId job, EventSeq after, int limit) override {
        return or_empty(inner_->events(job, after, limit));
    }
    Result<std::optional<std::vector<StoredEvent>>> events_after(EventSeq after, int limit) override {
        return or_empty(inner_->events_after(after, limit));
    }
    Result<EventSeq> last_event() override { return or_empty(inner_->last_event()); }
    Result<std::vector<WaitSpan>> wait_spans(JobId id) override { return or_empty(inner_->wait_spans(id)); }
    Result<std::vector<Schedule>> schedules() override { return or_empty(inner_->schedules()); }
    Result<std::optional<Schedule>> schedule(const std::string& name) override {
        return or_empty(inner_->schedule(name));
    }
    Result<std::vector<StateCount>> counts() override { return or_empty(inner_->counts()); }
    Result<std::vector<StoredToken>> tokens() override { return tokens_; }
    Result<std::optional<IdempotentAnswer>> idempotent(const std::string& scope,
                                                       const std::string& key) override {
        return or_empty(inner_->idempotent(scope, key));
    }
    Result<std::string> database_id() override;
    Result<FinishedIds> finished_after(JobId after, int limit) override;
    Result<std::optional<JobHistory>> job_history(JobId id) override;
    /// Damage is told: whoever writes a history says so in it.
    Result<std::vector<StoredFire>> fires_after(const std::string& schedule, UnixMs nominal,
                                                int limit) override {
        return inner_->fires_after(schedule, nominal, limit);
    }
    Result<std::vector<std::string>> imported_origins() override { return inner_->imported_origins(); }
    Result<std::vector<ImportedLine>> imported_after(const ImportedLine& after, int limit) override {
        return inner_->imported_after(after, limit);
    }
    Result<std::vector<ImportedLine>> imported_jobs(const std::string& origin, std::int64_t before,
                                                    int limit) override {
        return inner_->imported_jobs(origin, before, limit);
    }
    Result<std::vector<StoredImport>> imports(int limit) override { return inner_->imports(limit); }

  private:
    std::int64_t highest_id();
    /// Without its long texts, which lie in pages of their own.
    Result<std::optional<Job>> hot_job(JobId id);

    std::string database_id_;  ///< made up when it could not be read
    std::unique_ptr<Queries> inner_;
    std::unique_ptr<Connection> connection_;
    std::vector<StoredToken> tokens_;
};

std::int64_t SalvageQueries::highest_id() {
    const auto used = connection_->scalar("SELECT seq FROM sqlite_sequence WHERE name = 'job'");
    if (used) return *used;
    const auto last = connection_->scalar("SELECT MAX(id) FROM job");
    return last ? *last : kProbesMax;
}

Result<std::optional<Job>> SalvageQueries::hot_job(JobId id) {
    Statement row(*connection_, "SELECT * FROM job_hot_view WHERE id = ?", id);
    const auto has_row = row.step();
    if (!has_row) return has_row.error();
    if (!*has_row) return std::optional<Job>{};
    return std::optional<Job>(read_job(row));
}

Result<std::string> SalvageQueries::database_id() {
    const auto stored = inner_->database_id();
    if (stored) return stored;
    // What comes out of here must not be taken for the history of another unreadable database.
    if (database_id_.empty()) {
        Statement row(*connection_, "SELECT 'unreadable-' || lower(hex(randomblob(8)))");
        const auto has_row = row.step();
        if (!has_row) return has_row.error();
        database_id_ = row.text(0);
    }
    return database_id_;
}

Result<FinishedIds> SalvageQueries::finished_after(JobId after, int limit) {
    auto whole = inner_->finished_after(after, limit);
    if (whole || !is_damage(whole.error())) return whole;
    // One by one: job_history() says which of them can be read.
    FinishedIds found;
    const std::int64_t last = highest_id();
    const std::int64_t end = std::min(last, after.value + std::clamp(limit, 1, kPageMax));
    for (std::int64_t id = after.value + 1; id <= end; ++id) found.ids.push_back(JobId{id});
    if (end < last) found.next_after = JobId{end};
    return found;
}

Result<std::optional<JobHistory>> SalvageQueries::job_history(JobId id) {
    JobHistory history;
    auto job = inner_->job(id);
    if (!job && is_damage(job.error())) {
        auto hot = hot_job(id);
        // That no row was found says nothing where the whole row could not be read.
        if (!hot || !*hot) return job.error();
        history.unreadable.emplace_back("spec");
        job = std::move(hot);
    }
    if (!job) return job.error();
    if (!*job) return std::optional<JobHistory>{};
    history.job = std::move(**job);
    const auto keep = [&](auto& part, auto read, const char* name) {
        if (read) {
            part = std::move(*read);
        } else {
            history.unreadable.emplace_back(name);
        }
    };
    keep(history.attempts, inner_->attempts(id), "attempts");
    keep(history.events, inner_->events(id, {}, kHistoryEventsMax), "events");
    keep(history.waits, inner_->wait_spans(id), "waits");
    keep(history.checkpoints, read_checkpoints(*connection_, id), "checkpoints");
    keep(history.artifacts, inner_->artifacts(id), "artifacts");
    return std::optional<JobHistory>(std::move(history));
}

Result<JobPage> SalvageQueries::jobs(const JobFilter& filter) {
    auto page = inner_->jobs(filter);
    if (page || !is_damage(page.error())) return page;
    JobPage found;
    const auto limit = static_cast<std::size_t>(std::clamp(filter.limit, 1, kPageMax));
    std::int64_t id = filter.before_id > 0 ? filter.before_id - 1 : highest_id();
    for (int probes = 0; id > 0 && probes < kProbesMax && found.jobs.size() < limit; --id, ++probes) {
        auto one = job(JobId{id});
        if (one && *one && matches(filter, **one)) found.jobs.push_back(std::move(**one));
    }
    if (id > 0) found.next_before_id = id + 1;
    return found;
}

}  // namespace

Result<std::unique_ptr<Queries>> open_salvage(const std::string& path, std::vector<StoredToken> tokens) {
    // A log that cannot be used, or a disk that is read-only, keeps the usual way from working.
    std::string address;
    for (const char c : path) {
        address += c == '%' ? "%25" : c == '?' ? "%3f" : c == '#' ? "%23" : std::string(1, c);
    }
    for (const std::string& name : {path, "file:" + address + "?immutable=1"}) {
        auto connection = Connection::open(name, Connection::Mode::kReader);
        if (!connection) continue;
        if (!(*connection)->scalar("SELECT COUNT(*) FROM sqlite_schema")) continue;
        auto inner = open_queries(name);
        if (!inner) continue;
        return std::unique_ptr<Queries>(
            std::make_unique<SalvageQueries>(std::move(*inner), std::move(*connection), std::move(tokens)));
    }
    return Error{ErrorCode::kCorrupt, "database_unreadable", path + " cannot be read at all.",
                 "Restore a backup: `nightshift restore FILE`.", ""};
}

}  // namespace nightshift::db
