#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/loop.h"
#include "daemon/worker/crew.h"
#include "scheduler/planner.h"

namespace nightshift::daemon {

/// The scheduling stage of a tick: builds the snapshot, plans, persists what was decided and, after the
/// commit, has the crew carry it out. Thread: the loop.
class Dispatcher final : public TickStage {
  public:
    Dispatcher(Loop& loop, Crew& crew, DeviceBook& devices, const TimeZones& zones);

    /// Planner input of this moment.
    Result<Snapshot> snapshot(UnixMs now) const;
    const Policy& policy() const { return policy_; }
    void set_policy(Policy policy) {
        policy_ = std::move(policy);
        is_policy_logged_ = false;
    }
    /// Starts nothing any more.
    void set_draining() { is_draining_ = true; }
    bool is_draining() const { return is_draining_; }
    std::int64_t plan_seq() const { return plan_seq_; }
    void set_plan_seq(std::int64_t seq) { plan_seq_ = seq; }

    Status decide(db::Store& store, UnixMs now) override;
    void act() override;
    void forget() override;
    std::optional<UnixMs> next_wakeup() const override { return next_wakeup_; }

  private:
    struct StartOrder {
        Job job;
        Attempt attempt;
        Bytes budget;
    };
    struct YieldOrder {
        AttemptId attempt;
        Millis grace;
        std::string reason;
    };
    Status expire(db::Store& store, const std::vector<JobId>& planned, UnixMs now);
    Status persist_starts(db::Store& store, const Plan& plan, const Snapshot& snapshot, UnixMs now);
    Status persist_yields(db::Store& store, const Plan& plan, const Snapshot& snapshot, UnixMs now);
    Status persist_waiting(db::Store& store, const Plan& plan, const Snapshot& snapshot, UnixMs now);
    Status log_plan(db::Store& store, const Plan& plan, const Snapshot& snapshot, UnixMs now);

    Loop& loop_;
    Crew& crew_;
    DeviceBook& devices_;
    const TimeZones& zones_;
    Policy policy_;
    bool is_draining_ = false;
    std::int64_t plan_seq_ = 0;
    std::optional<UnixMs> next_wakeup_;
    std::vector<StartOrder> starts_;
    std::vector<YieldOrder> yields_;
    /// Wait reasons that are stored already, so that an unchanged job costs no statement.
    std::map<JobId, std::vector<std::string>> reasons_;
    std::map<JobId, std::vector<std::string>> reasons_next_;
    // What the plan log ends with.
    bool is_policy_logged_ = false;
    bool is_pause_logged_ = false;
    std::vector<db::PlanDevice> logged_devices_;
};

}  // namespace nightshift::daemon
