#include "daemon/watched_queries.h"

#include <utility>

namespace nightshift::daemon {

namespace {

class WatchedQueries final : public db::Queries {
  public:
    WatchedQueries(std::unique_ptr<db::Queries> inner, std::function<void(const Error&)> on_damage)
        : inner_(std::move(inner)), on_damage_(std::move(on_damage)) {}

    Result<std::optional<Job>> job(JobId id) override { return look(inner_->job(id)); }
    Result<db::JobPage> jobs(const db::JobFilter& filter) override { return look(inner_->jobs(filter)); }
    Result<std::vector<Attempt>> attempts(JobId id) override { return look(inner_->attempts(id)); }
    Result<std::vector<db::StoredArtifact>> artifacts(JobId id) override {
        return look(inner_->artifacts(id));
    }
    Result<std::vector<db::StoredEvent>> events(JobId job, EventSeq after, int limit) override {
        return look(inner_->events(job, after, limit));
    }
    Result<std::optional<std::vector<db::StoredEvent>>> events_after(EventSeq after, int limit) override {
        return look(inner_->events_after(after, limit));
    }
    Result<EventSeq> last_event() override { return look(inner_->last_event()); }
    Result<std::vector<db::WaitSpan>> wait_spans(JobId id) override { return look(inner_->wait_spans(id)); }
    Result<std::vector<Schedule>> schedules() override { return look(inner_->schedules()); }
    Result<std::optional<Schedule>> schedule(const std::string& name) override {
        return look(inner_->schedule(name));
    }
    Result<std::vector<db::StateCount>> counts() override { return look(inner_->counts()); }
    Result<std::vector<db::StoredToken>> tokens() override { return look(inner_->tokens()); }
    Result<std::optional<db::IdempotentAnswer>> idempotent(const std::string& scope,
                                                           const std::string& key) override {
        return look(inner_->idempotent(scope, key));
    }
    Result<std::string> database_id() override { return look(inner_->database_id()); }
    Result<db::FinishedIds> finished_after(JobId after, int limit) override {
        return look(inner_->finished_after(after, limit));
    }
    Result<std::optional<db::JobHistory>> job_history(JobId id) override {
        return look(inner_->job_history(id));
    }
    Result<std::vector<db::StoredFire>> fires_after(const std::string& schedule, UnixMs nominal,
                                                    int limit) override {
        return look(inner_->fires_after(schedule, nominal, limit));
    }
    Result<std::vector<std::string>> imported_origins() override { return look(inner_->imported_origins()); }
    Result<std::vector<db::ImportedLine>> imported_after(const db::ImportedLine& after, int limit) override {
        return look(inner_->imported_after(after, limit));
    }
    Result<std::vector<db::ImportedLine>> imported_jobs(const std::string& origin, std::int64_t before,
                                                        int limit) override {
        return look(inner_->imported_jobs(origin, before, limit));
    }
    Result<std::vector<db::StoredImport>> imports(int limit) override { return look(inner_->imports(limit)); }

  private:
    template <typename T>
    Result<T> look(Result<T> answer) {
        if (!answer && answer.error().reason == "database_damaged") on_damage_(answer.error());
        return answer;
    }

    std::unique_ptr<db::Queries> inner_;
    std::function<void(const Error&)> on_damage_;
};

}  // namespace

std::unique_ptr<db::Queries> watch(std::unique_ptr<db::Queries> queries,
                                   std::function<void(const Error&)> on_damage) {
    return std::make_unique<WatchedQueries>(std::move(queries), std::move(on_damage));
}

}  // namespace nightshift::daemon
