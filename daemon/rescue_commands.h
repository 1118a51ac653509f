#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/commands.h"
#include "api/storage.h"
#include "scheduler/clock.h"

namespace nightshift::daemon {

/// What a daemon with a damaged database answers: everything that would change something is refused with
/// 503 and what to do; what can be read is read. Thread: the loop.
class RescueCommands final : public api::Commands {
  public:
    struct Parts {
        const TimeZones& zones;
        const Clock& clock;
        api::Storage& storage;
        std::string damage;  ///< what was found
        std::function<api::ServerStatus()> status;
        std::function<void()> stop;
    };
    explicit RescueCommands(Parts parts) : parts_(std::move(parts)) {}

    void submit(api::SubmitRequest, Reply<api::SubmitReply> reply) override { reply(refusal()); }
    void act(JobId, api::JobAction, std::string, Reply<void> reply) override { reply(refusal()); }
    void retry(JobId, bool, std::string, api::IdempotencyKey, Reply<api::Created> reply) override {
        reply(refusal());
    }
    void patch(JobId, api::JobPatch, std::string, Reply<void> reply) override { reply(refusal()); }
    void hide(JobId, std::string, Reply<void> reply) override { reply(refusal()); }
    void move(JobId, api::MoveRequest, Reply<void> reply) override { reply(refusal()); }
    void put_schedule(Schedule, bool, std::string, api::IdempotencyKey, Reply<api::Created> reply) override {
        reply(refusal());
    }
    void delete_schedule(std::string, std::string, Reply<void> reply) override { reply(refusal()); }
    void enable_schedule(std::string, bool, std::string, Reply<void> reply) override { reply(refusal()); }
    void run_schedule(std::string, std::string, api::IdempotencyKey, Reply<api::Created> reply) override {
        reply(refusal());
    }
    void put_policy(Policy, std::string, std::string, Reply<void> reply) override { reply(refusal()); }
    void night_contract(UnixMs, int, Reply<api::ContractAnswer> reply) override { reply(refusal()); }
    void replay(api::ReplayRequest, Reply<api::ReplayAnswer> reply) override { reply(refusal()); }
    void pause(api::PauseRequest, Reply<void> reply) override { reply(refusal()); }
    void shut_down(bool yield_jobs, std::string actor, Reply<void> reply) override;
    void begin_history(std::string, std::string, Reply<std::shared_ptr<api::HistoryIntake>> reply) override {
        reply(refusal());
    }
    void put_token(db::StoredToken, Reply<void> reply) override { reply(refusal()); }
    void delete_token(std::string, Reply<void> reply) override { reply(refusal()); }

    api::Storage* storage() override { return &parts_.storage; }
    Result<Snapshot> snapshot() const override;
    const TimeZones& zones() const override { return parts_.zones; }
    UnixMs now() const override { return parts_.clock.now(); }
    std::vector<DeviceState> devices() const override { return {}; }
    std::vector<Lease> leases() const override { return {}; }
    api::ServerStatus status() const override { return parts_.status(); }
    const std::vector<api::KindInfo>& kinds() const override { return kinds_; }
    const Policy& policy() const override { return policy_; }
    std::string policy_json() const override { return "{}"; }
    int policy_version() const override { return 0; }
    std::optional<Progress> progress(JobId) const override { return std::nullopt; }
    std::vector<DeviceSample> history(const std::string&, UnixMs) const override { return {}; }
    /// Nothing happens here that anybody could be told of.
    std::shared_ptr<void> subscribe(std::function<void(const EventRecord&)> listener) override;

  private:
    Error refusal() const;

    Parts parts_;
    std::vector<api::KindInfo> kinds_;
    Policy policy_;
};

}  // namespace nightshift::daemon
