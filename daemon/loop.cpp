#include "daemon/loop.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "scheduler/crash_point.h"
#include "scheduler/defect.h"

namespace nightshift::daemon {

namespace {

/// The wall clock may jump: look at it at least this often.
constexpr Millis kRearm = seconds(60);
/// A stage that asks for "now" again and again is heard once a second.
constexpr Millis kShortestWait = seconds(1);
constexpr Millis kRetryAfterFailure = seconds(1);
/// 16 MiB of log: large enough that a page changed by many commits is moved once, small enough to stay in the
/// system's cache and to be moved within a few milliseconds.
constexpr std::int64_t kWalPagesMax = 4096;
constexpr Millis kIdleCheckpoint = seconds(2);
/// Changes in one transaction: bounds the time until the first of them is answered.
constexpr std::size_t kChangesPerTick = 4096;

Error disk_low() {
    return {ErrorCode::kExhausted, "disk_low",
            "The disk of the data folder is full; only ends of jobs and cancels are still stored.",
            "Free some space on it and try again: nothing that was stored is lost.", ""};
}

bool is_worth_retrying(const Status& status) {
    return !status &&
           (status.error().code == ErrorCode::kExhausted || status.error().code == ErrorCode::kUnavailable);
}

}  // namespace

Loop::Loop(boost::asio::io_context& io, db::Store& store, const Clock& clock, Alarms& alarms)
    : io_(io),
      store_(store),
      clock_(clock),
      alarms_(alarms),
      next_tick_(alarms.make()),
      idle_checkpoint_(alarms.make()) {}

void Loop::change(Change change) {
    pending_.push_back(std::move(change));
    post_tick();
}

void Loop::wake() {
    is_look_wanted_ = true;
    post_tick();
}

void Loop::post_tick() {
    if (is_tick_posted_) return;
    is_tick_posted_ = true;
    // Twice round the queue: requests that are already readable join this transaction.
    boost::asio::post(io_, [this] { boost::asio::post(io_, [this] { tick(); }); });
}

void Loop::flush() {
    is_tick_posted_ = true;
    while (!pending_.empty()) {
        const std::size_t before = pending_.size();
        tick();
        is_tick_posted_ = true;
        if (pending_.size() >= before) break;  // only facts that the disk refuses
    }
    is_tick_posted_ = false;
}

void Loop::set_reserve(Reserve& reserve) {
    reserve_ = &reserve;
    is_disk_low_ = !reserve_->take_back();
    if (is_disk_low_) spdlog::error("disk_low reserve=none");
}

void Loop::watch_room() {
    if (!is_disk_low_ || !reserve_->take_back()) return;
    is_disk_low_ = false;
    spdlog::info("disk_has_room_again");
}

void Loop::use_reserve() {
    if (reserve_ == nullptr || is_disk_low_) return;
    is_disk_low_ = true;
    reserve_->give_up();
    spdlog::error("disk_full reserve=given_up");
    wake();  // what was kept may fit now
}

void Loop::notice(const Status& status) {
    if (status || status.error().code != ErrorCode::kCorrupt || !on_damage_) return;
    spdlog::critical("database_damaged error=\"{}\"", status.error().message);
    boost::asio::post(io_,
                      [act = std::exchange(on_damage_, nullptr), error = status.error()] { act(error); });
}

void Loop::tick() {
    is_tick_posted_ = false;
    watch_room();
    const UnixMs now = clock_.now();
    std::vector<Outcome> outcomes;
    const bool is_committed = persist(now, outcomes);
    std::vector<db::StoredEvent> events;
    if (is_committed) events = store_.take_new_events();
    if (is_committed) {
        crash_point("tick.committed");
        for (TickStage* stage : stages_) stage->act();
        crash_point("tick.acted");
    }
    for (const db::StoredEvent& event : events) events_.publish_stored(event);
    crash_point("tick.published");
    for (Outcome& outcome : outcomes) {
        if (outcome.change.done) outcome.change.done(outcome.status);
    }
    crash_point("tick.answered");
    if (!pending_.empty() && !retry_at_) post_tick();
    arm(clock_.now());
}

bool Loop::persist(UnixMs now, std::vector<Outcome>& outcomes) {
    if (Status begun = store_.begin(); !begun) {
        spdlog::error("transaction_refused error=\"{}\"", begun.error().message);
        while (!pending_.empty()) {
            outcomes.push_back({std::move(pending_.front()), begun});
            pending_.pop_front();
        }
        settle(outcomes, begun);
        return false;
    }
    crash_point("tick.begun");
    Status ended_by = Error{ErrorCode::kUnavailable, "transaction_lost",
                            "The transaction was rolled back by the database.", "Try again.", ""};
    while (!pending_.empty() && outcomes.size() < kChangesPerTick && store_.in_transaction()) {
        Change change = std::move(pending_.front());
        pending_.pop_front();
        const Status status = apply_one(change, now);
        if (!status && !store_.in_transaction()) ended_by = status;
        outcomes.push_back({std::move(change), status});
        crash_point("tick.change_applied");
    }
    const bool may_decide = !is_disk_low_ && (!retry_at_ || clock_.steady() >= *retry_at_);
    bool has_decided = may_decide;
    // A stage that asks for another look asks for the tick after this one.
    is_looking_ = std::exchange(is_look_wanted_, false);
    for (TickStage* stage : stages_) {
        if (!may_decide || !store_.in_transaction()) break;
        Status decided = store_.savepoint();
        if (decided) decided = stage->decide(store_, now);
        if (decided && store_.in_transaction()) decided = store_.release_savepoint();
        if (!decided) {
            notice(decided);
            spdlog::warn("decision_failed error=\"{}\"", decided.error().message);
            if (!store_.in_transaction()) ended_by = decided;
            store_.rollback_to_savepoint();
            stage->forget();
            retry_at_ = clock_.steady() + kRetryAfterFailure;
            has_decided = false;
        }
    }
    crash_point("tick.decided");
    // A full disk ends the whole transaction; everybody in it hears that reason.
    const Status committed = store_.in_transaction() ? store_.commit() : ended_by;
    if (!committed) {
        store_.rollback();
        spdlog::error("commit_failed error=\"{}\"", committed.error().message);
        for (TickStage* stage : stages_) stage->forget();
    }
    settle(outcomes, committed);
    if (!committed || !has_decided) is_look_wanted_ = true;
    if (committed) {
        ++commits_;
        tidy_wal();
    }
    return committed.has_value();
}

Status Loop::apply_one(const Change& change, UnixMs now) {
    if (is_disk_low_ && !change.must_happen && !change.uses_reserve) return disk_low();
    NIGHTSHIFT_TRY(store_.savepoint());
    const Status applied = change.apply(store_, now);
    if (applied) {
        Status released = store_.release_savepoint();
        if (!released) store_.rollback_to_savepoint();
        return released;
    }
    store_.rollback_to_savepoint();
    return applied;
}

void Loop::settle(std::vector<Outcome>& outcomes, const Status& commit) {
    const auto is_full = [](const Status& status) { return !status && status.error().reason == "disk_low"; };
    if (is_full(commit)) use_reserve();
    notice(commit);
    trouble_ = commit ? std::nullopt : std::optional<Error>(commit.error());
    for (const Outcome& outcome : outcomes) {
        notice(outcome.status);
        if (is_full(outcome.status)) use_reserve();
    }
    bool has_kept = false;
    std::vector<Outcome> told;
    for (Outcome& outcome : outcomes) {
        // Without a commit nothing of it happened, whatever its own statements said.
        if (NIGHTSHIFT_RULE(101, !commit && outcome.status, false)) outcome.status = commit;
        if (outcome.change.must_happen && NIGHTSHIFT_RULE(102, is_worth_retrying(outcome.status), false)) {
            pending_.push_back(std::move(outcome.change));
            has_kept = true;
            continue;
        }
        told.push_back(std::move(outcome));
    }
    outcomes = std::move(told);
    if (has_kept || !commit) {
        retry_at_ = clock_.steady() + kRetryAfterFailure;
    } else if (retry_at_ && clock_.steady() >= *retry_at_) {
        retry_at_.reset();
    }
}

void Loop::arm(UnixMs now) {
    Millis wait = kRearm;
    if (retry_at_ || is_disk_low_) wait = std::min(wait, kRetryAfterFailure);
    for (const TickStage* stage : stages_) {
        const auto at = stage->next_wakeup();
        if (!at) continue;
        wait = std::min(wait, *at > now ? *at - now : kShortestWait);
    }
    next_tick_->set(std::max(wait, Millis{1}), [this] {
        if (retry_at_ && clock_.steady() >= *retry_at_) retry_at_.reset();
        wake();
    });
}

void Loop::tidy_wal() {
    const auto move_pages = [this] {
        if (Status moved = store_.checkpoint_wal(); !moved) {
            spdlog::warn("wal_checkpoint_failed error=\"{}\"", moved.error().message);
        }
    };
    if (store_.wal_pages() >= kWalPagesMax) return move_pages();
    if (store_.wal_pages() == 0) return;
    if (idle_checkpoint_->is_set()) return;
    idle_checkpoint_->set(kIdleCheckpoint, [this, move_pages] {
        if (!store_.in_transaction()) move_pages();
    });
}

}  // namespace nightshift::daemon
