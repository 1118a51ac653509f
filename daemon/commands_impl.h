#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/commands.h"
#include "api/storage.h"
#include "api/submit_codec.h"
#include "daemon/dispatcher.h"
#include "daemon/history_imports.h"
#include "daemon/projector.h"
#include "daemon/schedule_runner.h"

namespace nightshift::daemon {

/// What the HTTP layer asks for, turned into changes of the loop. Thread: the loop.
class CommandsImpl final : public api::Commands {
  public:
    struct Parts {
        Loop& loop;
        Crew& crew;
        DeviceBook& devices;
        Dispatcher& dispatcher;
        ScheduleRunner& schedules;
        Projector& projector;
        const TimeZones& zones;
        const std::vector<api::KindInfo>& kinds;
        api::Storage& storage;
        std::function<api::ServerStatus()> status;
        std::function<void()> stop;                              ///< ends the daemon soon
        std::function<void(const std::string&)> policy_changed;  ///< writes policy.json
    };
    explicit CommandsImpl(Parts parts);

    void submit(api::SubmitRequest request, Reply<api::SubmitReply> reply) override;
    void act(JobId job, api::JobAction action, std::string actor, Reply<void> reply) override;
    void retry(JobId job, bool with_dependents, std::string actor, api::IdempotencyKey key,
               Reply<api::Created> reply) override;
    void patch(JobId job, api::JobPatch patch, std::string actor, Reply<void> reply) override;
    void hide(JobId job, std::string actor, Reply<void> reply) override;
    void move(JobId job, api::MoveRequest request, Reply<void> reply) override;
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

    api::Storage* storage() override { return &parts_.storage; }
    Result<Snapshot> snapshot() const override;
    std::shared_ptr<const api::PlannedQueue> planned() const override { return parts_.dispatcher.planned(); }
    const TimeZones& zones() const override { return parts_.zones; }
    std::shared_ptr<const std::vector<KindStats>> run_stats() const override;
    UnixMs now() const override { return parts_.loop.clock().now(); }
    std::vector<DeviceState> devices() const override { return parts_.devices.states(); }
    std::vector<Lease> leases() const override;
    api::ServerStatus status() const override { return parts_.status(); }
    const std::vector<api::KindInfo>& kinds() const override { return parts_.kinds; }
    const Policy& policy() const override { return parts_.dispatcher.policy(); }
    std::string policy_json() const override { return policy_json_; }
    int policy_version() const override { return policy_version_; }
    std::optional<Progress> progress(JobId job) const override;
    std::optional<Millis> ran(JobId job) const override;
    std::optional<std::string> why_stuck(JobId job) const override;
    std::vector<DeviceSample> history(const std::string& device_uuid, UnixMs since) const override;
    void night_contract(UnixMs until, int futures, Reply<api::ContractAnswer> reply) override;
    void replay(api::ReplayRequest request, Reply<api::ReplayAnswer> reply) override;
    std::shared_ptr<void> subscribe(std::function<void(const EventRecord&)> listener) override;

    /// At the start: nothing stays of an import that a crash ended.
    void sweep_imports() { imports_.sweep(); }
    /// The policy that was stored, at the start.
    void set_stored_policy(std::string policy_json, int version);
    /// What submits of schedules are completed with.
    api::SubmitDefaults submit_defaults(UnixMs now) const;
    /// Cancels a job inside an open transaction; its process hears of it after the commit.
    Status cancel_in(db::Store& store, const Job& job, const std::string& actor, UnixMs now);

  private:
    Status preempt_in(db::Store& store, const Job& job, const std::string& actor, UnixMs now);
    Result<JobId> copy_in(db::Store& store, JobId id, const std::string& actor, UnixMs now,
                          const std::vector<std::pair<JobId, JobId>>& copies);
    Result<JobId> retry_in(db::Store& store, JobId id, bool with_dependents, const std::string& actor,
                           UnixMs now);
    /// Queues a change that answers with nothing but its status.
    void simple(std::function<Status(db::Store&, UnixMs)> apply, Reply<void> reply,
                std::function<void()> after = nullptr, bool uses_reserve = false);
    /// Queues a change that makes something once for each key, see create_once.
    void create(api::IdempotencyKey key, std::function<Result<std::vector<JobId>>(db::Store&, UnixMs)> make,
                Reply<api::Created> reply, std::function<void()> after);
    void yield_all(const std::string& actor);

    Parts parts_;
    HistoryImports imports_{parts_.loop};
    std::string policy_json_ = "{}";
    int policy_version_ = 0;
};

}  // namespace nightshift::daemon
