#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/commands.h"
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
        planned_version_.reset();
        is_policy_logged_ = false;
    }
    /// Something beside the store has changed that a pass can see: the next tick makes one.
    void forget_plan() { planned_version_.reset(); }
    /// Starts nothing any more.
    void set_draining() {
        is_draining_ = true;
        planned_version_.reset();
    }
    bool is_draining() const { return is_draining_; }
    std::int64_t plan_seq() const { return plan_seq_; }
    void set_plan_seq(std::int64_t seq) { plan_seq_ = seq; }
    /// What the newest committed pass saw and decided; nothing before the first.
    std::shared_ptr<const api::PlannedQueue> planned() const { return planned_; }
    const api::PassCounters& passes() const { return passes_; }

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
    /// A job's version and the gates closed for it.
    using Reasons = std::pair<int, std::vector<std::string>>;
    struct YieldOrder {
        AttemptId attempt;
        Millis grace;
        std::string reason;
    };
    /// One planning pass, persisted. Keeps what it saw in planned_next_.
    Status make_pass(db::Store& store, UnixMs now);
    bool may_skip(const db::Store& store, UnixMs now) const;
    /// Other programs take memory between two samples: a grant rests on one that is not older than the wish
    /// for it. Without one, asks for it and says no.
    bool is_confirmed(const Start& start);
    /// It is to leave for what one sample showed; the supervisor asks for another plan when more of them do.
    bool is_for_a_spike(const Yield& yield, const AttemptId& attempt) const;
    Status expire(db::Store& store, const std::vector<JobId>& planned, UnixMs now);
    Status persist_starts(db::Store& store, const Plan& plan, const Snapshot& snapshot, UnixMs now);
    Status persist_yields(db::Store& store, const Plan& plan, const Snapshot& snapshot, UnixMs now);
    Status persist_waiting(db::Store& store, const Plan& plan, const Snapshot& snapshot, UnixMs now);
    Status note_reasons(db::Store& store, JobId id, Reasons reasons, UnixMs now);
    Status log_plan(db::Store& store, const Snapshot& snapshot, UnixMs now);

    Loop& loop_;
    Crew& crew_;
    DeviceBook& devices_;
    const TimeZones& zones_;
    Policy policy_;
    bool is_draining_ = false;
    std::int64_t plan_seq_ = 0;
    std::optional<UnixMs> next_wakeup_;
    /// Store::planning_version() after the newest pass; nothing when the next tick has to plan.
    std::optional<std::int64_t> planned_version_;
    std::shared_ptr<const api::PlannedQueue> planned_, planned_next_;
    api::PassCounters passes_;
    std::vector<StartOrder> starts_;
    std::vector<YieldOrder> yields_;
    /// Steady: since when starts wait for a sample.
    std::optional<Millis> held_back_at_;
    std::vector<JobId> held_back_;  ///< those starts of the newest pass, until act() asks for one
    /// As they are stored already, so that an unchanged job costs no statement.
    std::map<JobId, Reasons> reasons_;
    std::map<JobId, Reasons> reasons_next_;
    // What the plan log ends with.
    bool is_policy_logged_ = false;
    bool is_pause_logged_ = false;
    std::vector<db::PlanDevice> logged_devices_;
};

}  // namespace nightshift::daemon
