#pragma once

#include <boost/asio/io_context.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "daemon/alarm.h"
#include "daemon/ballast.h"
#include "daemon/event_hub.h"
#include "db/store.h"
#include "scheduler/clock.h"

namespace nightshift::daemon {

/// One change of what is stored. `apply` runs inside the tick's transaction, under a savepoint of its
/// own; `done` after the commit, with what became of it.
struct Change {
    std::function<Status(db::Store&, UnixMs now)> apply;
    std::function<void(const Status&)> done;
    /// Something that was observed, like the end of a process: kept and tried again until it is stored.
    bool must_happen = false;
    /// May use the room that is kept back for a full disk: it ends something, like a cancel.
    bool uses_reserve = false;
};

/// A part that takes part in every tick.
class TickStage {
  public:
    virtual ~TickStage() = default;
    /// Inside the transaction, after the changes. Decides and persists; acts on nothing.
    virtual Status decide(db::Store& store, UnixMs now) = 0;
    /// After the commit: carries out what was decided.
    virtual void act() = 0;
    /// The commit failed: what was decided did not happen.
    virtual void forget() = 0;
    /// When the next tick is needed although nothing happens.
    virtual std::optional<UnixMs> next_wakeup() const = 0;
};

/// The control loop: collect what came in, decide, persist everything in one transaction, commit, act,
/// publish. Whatever arrived while a commit was under way goes into the next one; nobody waits on
/// purpose. Thread: the one that runs `io`.
class Loop {
  public:
    /// What is handed in outlives the loop.
    Loop(boost::asio::io_context& io, db::Store& store, const Clock& clock, Alarms& alarms);

    void change(Change change);
    /// Asks for a tick soon, and for a decision in it: something outside of the database has changed.
    void wake();
    /// Inside decide(): somebody asked, or time has passed. Otherwise only what was stored can be new.
    bool is_looking() const { return is_looking_; }
    std::int64_t commits() const { return commits_; }
    void add_stage(TickStage& stage) { stages_.push_back(&stage); }
    /// No further stages take part: the daemon is going down, only changes are still stored.
    void remove_stages() { stages_.clear(); }
    /// Room to fall back on when the disk is full. While it is used, only ends and cancels are stored;
    /// nothing is decided and requests are refused. `reserve` outlives the loop.
    void set_reserve(Reserve& reserve);
    /// Why the newest transaction failed; nothing while all is well.
    const std::optional<Error>& trouble() const { return trouble_; }
    /// Called once, after the tick that found the database damaged.
    void set_on_damage(std::function<void(Error)> on_damage) { on_damage_ = std::move(on_damage); }
    bool is_disk_low() const { return is_disk_low_; }
    /// Stores what is pending now. For the start and the end of the daemon.
    void flush();

    boost::asio::io_context& io() { return io_; }
    db::Store& store() { return store_; }
    const Clock& clock() const { return clock_; }
    Alarms& alarms() { return alarms_; }
    EventHub& events() { return events_; }

  private:
    struct Outcome {
        Change change;
        Status status;
    };
    void tick();
    /// True: committed.
    bool persist(UnixMs now, std::vector<Outcome>& outcomes);
    Status apply_one(const Change& change, UnixMs now);
    void settle(std::vector<Outcome>& outcomes, const Status& commit);
    void arm(UnixMs now);
    void tidy_wal();
    void post_tick();
    /// Looks again whether there is room.
    void watch_room();
    void use_reserve();
    void notice(const Status& status);

    boost::asio::io_context& io_;
    db::Store& store_;
    const Clock& clock_;
    Alarms& alarms_;
    EventHub events_;
    std::unique_ptr<Alarm> next_tick_;
    std::unique_ptr<Alarm> idle_checkpoint_;
    std::vector<TickStage*> stages_;
    std::deque<Change> pending_;
    bool is_tick_posted_ = false;
    bool is_look_wanted_ = true;
    bool is_looking_ = true;
    std::int64_t commits_ = 0;
    Reserve* reserve_ = nullptr;
    bool is_disk_low_ = false;
    std::optional<Error> trouble_;
    std::function<void(Error)> on_damage_;
    std::optional<Millis> retry_at_;  ///< steady: the disk refused, facts are kept until then
};

}  // namespace nightshift::daemon
