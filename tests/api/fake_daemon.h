#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "api/commands.h"
#include "db/queries.h"
#include "tests/support/fixed_zones.h"

namespace nightshift::tests {

inline constexpr const char* kDatabaseId = "0123456789abcdef0123456789abcdef";

/// The daemon and its database as the HTTP layer sees them, in memory. Mutations answer at once unless
/// `held_replies` is set. Thread: the one that runs the server.
class FakeDaemon : public api::Commands, public db::Queries {
  public:
    FakeDaemon();

    // --- what tests set up and look at ---------------------------------------------------------
    std::map<std::int64_t, Job> jobs_by_id;
    std::map<std::int64_t, std::vector<db::StoredArtifact>> artifacts_by_id;
    std::map<std::int64_t, db::JobHistory> histories_by_id;  ///< all but the job, which is looked up
    std::set<std::int64_t> damaged_jobs;
    std::map<std::string, Schedule> schedules_by_name;
    std::vector<db::StoredFire> stored_fires;      ///< in the order of schedule and nominal time
    std::vector<db::ImportedLine> imported_lines;  ///< of imports that were finished
    std::vector<std::size_t> imported_portions;    ///< lines of each add() so far
    std::optional<Error> import_trouble;           ///< refuses the next add()
    std::vector<db::StoredEvent> stored_events;
    std::vector<db::StoredToken> stored_tokens;
    std::vector<std::string> calls;  ///< every mutation that arrived, e.g. "submit", "cancel 3"
    std::map<std::pair<std::string, std::string>, db::IdempotentAnswer> idempotent_answers;
    std::vector<api::KindInfo> known_kinds;
    Policy current_policy;
    int policy_changes = 1;
    FixedZones fixed_zones;
    UnixMs time{1'763'716'800'000};  ///< 2025-11-21T09:20:00Z
    std::string folder;              ///< data folder
    Bytes card = gibibytes(8);
    bool holds_replies = false;
    std::vector<std::function<void()>> held_replies;
    EventSeq oldest_event{1};

    Job& add_job(JobState state, const std::string& kind = "sleep");
    /// Appends to the log and tells every subscriber.
    void publish(std::string topic, std::string kind, JobId job = {});
    /// Not stored, seq 0.
    void publish_sample(std::string topic, std::string data_json);
    void set_state(JobId job, JobState state);

    // --- Commands ------------------------------------------------------------------------------
    void submit(api::SubmitRequest request, Reply<api::SubmitReply> reply) override;
    void act(JobId job, api::JobAction action, std::string actor, Reply<void> reply) override;
    void retry(JobId job, bool with_dependents, std::string actor, api::IdempotencyKey key,
               Reply<api::Created> reply) override;
    void patch(JobId job, api::JobPatch patch, std::string actor, Reply<void> reply) override;
    void hide(JobId job, std::string actor, Reply<void> reply) override;
    void put_schedule(Schedule schedule, bool must_be_new, std::string actor, api::IdempotencyKey key,
                      Reply<api::Created> reply) override;
    void delete_schedule(std::string name, std::string actor, Reply<void> reply) override;
    void enable_schedule(std::string name, bool enabled, std::string actor, Reply<void> reply) override;
    void run_schedule(std::string name, std::string actor, api::IdempotencyKey key,
                      Reply<api::Created> reply) override;
    void put_policy(Policy policy, std::string policy_json, std::string actor, Reply<void> reply) override;
    void pause(api::PauseRequest request, Reply<void> reply) override;
    void shut_down(bool yield_jobs, std::string actor, Reply<void> reply) override;
    void begin_history(std::string database, std::string actor,
                       Reply<std::shared_ptr<api::HistoryIntake>> reply) override;
    void put_token(db::StoredToken token, Reply<void> reply) override;
    void delete_token(std::string sha256, Reply<void> reply) override;
    Result<Snapshot> snapshot() const override;
    const TimeZones& zones() const override { return fixed_zones; }
    UnixMs now() const override { return time; }
    std::vector<DeviceState> devices() const override;
    std::vector<Lease> leases() const override { return {}; }
    api::ServerStatus status() const override;
    const std::vector<api::KindInfo>& kinds() const override { return known_kinds; }
    const Policy& policy() const override { return current_policy; }
    std::string policy_json() const override { return "{}"; }
    int policy_version() const override { return policy_changes; }
    std::optional<Progress> progress(JobId) const override { return std::nullopt; }
    std::vector<DeviceSample> history(const std::string& device_uuid, UnixMs since) const override;
    std::shared_ptr<void> subscribe(std::function<void(const EventRecord&)> listener) override;

    // --- Queries -------------------------------------------------------------------------------
    Result<std::optional<db::IdempotentAnswer>> idempotent(const std::string& scope,
                                                           const std::string& key) override;
    Result<std::optional<Job>> job(JobId id) override;
    Result<db::JobPage> jobs(const db::JobFilter& filter) override;
    Result<std::vector<Attempt>> attempts(JobId id) override;
    Result<std::vector<db::StoredArtifact>> artifacts(JobId id) override;
    Result<std::vector<db::StoredEvent>> events(JobId job, EventSeq after, int limit) override;
    Result<std::optional<std::vector<db::StoredEvent>>> events_after(EventSeq after, int limit) override;
    Result<EventSeq> last_event() override;
    Result<std::vector<db::WaitSpan>> wait_spans(JobId id) override;
    Result<std::vector<Schedule>> schedules() override;
    Result<std::optional<Schedule>> schedule(const std::string& name) override;
    Result<std::vector<db::StateCount>> counts() override;
    Result<std::vector<db::StoredToken>> tokens() override { return stored_tokens; }
    Result<std::string> database_id() override { return std::string(kDatabaseId); }
    Result<db::FinishedIds> finished_after(JobId after, int limit) override;
    Result<std::optional<db::JobHistory>> job_history(JobId id) override;
    Result<std::vector<db::StoredFire>> fires_after(const std::string& schedule, UnixMs nominal,
                                                    int limit) override;
    Result<std::vector<std::string>> imported_origins() override;
    Result<std::vector<db::ImportedLine>> imported_after(const db::ImportedLine& after, int limit) override;
    Result<std::vector<db::ImportedLine>> imported_jobs(const std::string& origin, std::int64_t before,
                                                        int limit) override;
    Result<std::vector<db::StoredImport>> imports(int) override { return std::vector<db::StoredImport>{}; }

  private:
    void answer(std::function<void()> reply);
    void remember(const api::IdempotencyKey& key, std::vector<JobId> jobs);
    std::int64_t next_id_ = 1;
    std::list<std::function<void(const EventRecord&)>> listeners_;
};

/// The tokens the fake daemon knows, one for each role.
inline constexpr const char* kAdminToken = "admin-token-0123456789abcdef";
inline constexpr const char* kOperatorToken = "operator-token-0123456789abcdef";
inline constexpr const char* kViewerToken = "viewer-token-0123456789abcdef";

}  // namespace nightshift::tests
