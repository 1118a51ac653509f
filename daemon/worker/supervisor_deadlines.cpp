#include <spdlog/spdlog.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/worker/supervisor.h"
#include "scheduler/crash_point.h"

namespace nightshift::daemon {
namespace {

constexpr Millis kKillAgainFirst{10};
constexpr Millis kKillAgainMax = seconds(5);
/// A worker whose program was killed has this long to say how it ended.
constexpr Millis kLastWords{500};
/// A process that SIGKILL did not end within this time is said to be one that cannot be killed.
constexpr Millis kStuckAfter = seconds(3);

std::string because(const char* reason) {
    return nlohmann::json{{"reason", reason}}.dump();
}

}  // namespace

void Supervisor::ask_to_yield(Millis grace, const std::string& reason) {
    if (asked_ == Asked::kStop) return;
    asked_ = Asked::kYield;
    reason_ = reason;
    asked_until_ = loop_.clock().steady() + grace;
    arm_deadline(grace);
    tell();
}

void Supervisor::stop(Millis grace, const std::string& reason) {
    asked_ = Asked::kStop;
    reason_ = reason;
    asked_until_ = loop_.clock().steady() + grace;
    // A worker that was not told to start has nothing to end properly.
    if (!is_start_sent_ && !attempt_.running_at) grace = Millis{};
    arm_deadline(grace);
    tell();
}

void Supervisor::tell() {
    if (!channel_ || !is_start_sent_ || is_end_pending_) return;
    const Millis left{std::max<std::int64_t>(0, (asked_until_ - loop_.clock().steady()).value)};
    if (asked_ == Asked::kYield) {
        channel_->send(wire::YieldRequest{left, reason_});
        crash_point("yield.sent");
    } else if (asked_ == Asked::kStop) {
        channel_->send(wire::CancelRequest{left, reason_});
        crash_point("stop.sent");
    }
}

void Supervisor::arm_deadline(Millis wait) {
    deadline_->set(wait, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->on_deadline();
    });
}

void Supervisor::on_deadline() {
    if (is_gone_ || (is_end_pending_ && !is_ended_)) return;
    if (asked_ != Asked::kYield || is_ended_) {
        kill_all();
        return;
    }
    // The state says what is being done before it is done.
    const std::string reason = reason_;
    loop_.change({[id = id(), reason](db::Store& store, UnixMs now) {
                      return store.set_stopping(id, reason, now, now,
                                                {"job", "stopping", "scheduler", because("grace_over")});
                  },
                  [self = shared_from_this()](const Status& stored) {
                      if (!stored) return self->arm_deadline(Millis{1000});
                      self->asked_ = Asked::kStop;
                      self->kill_all();
                  },
                  false});
}

bool Supervisor::kill_all() {
    if (is_gone_ || !attempt_.worker) return true;
    const Millis now = loop_.clock().steady();
    if (!killing_since_) killing_since_ = now;
    const Millis tried = now - *killing_since_;
    // A worker whose program was killed a moment ago is about to say how it ended.
    const bool has_last_words = is_start_sent_ && !is_ended_ && tried < kLastWords;
    const Family family{*attempt_.worker, attempt_.command, workplace_.output_folder(id())};
    const std::vector<FamilyMember> left = workplace_.processes->kill_family(family, has_last_words);
    if (left.empty()) {
        killing_since_.reset();
        stuck_.reset();
        return true;
    }
    const bool is_still_stuck = std::any_of(left.begin(), left.end(), [this](const FamilyMember& member) {
        return member.identity.pid == stuck_pid_;
    });
    if (stuck_ && !is_still_stuck) {
        stuck_.reset();
        killing_since_ = now;
    } else if (tried >= kStuckAfter) {
        note_stuck(left);
    }
    // Soon at first: most need only a moment. What waits inside the kernel may need days.
    const Millis wait{std::clamp<std::int64_t>(tried.value / 4, kKillAgainFirst.value, kKillAgainMax.value)};
    linger_->set(wait, [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (self && self->kill_all() && self->is_worker_gone_) self->on_gone();
    });
    return false;
}

void Supervisor::note_stuck(const std::vector<FamilyMember>& left) {
    // A worker that is spared for the sake of the others is not the one that stays.
    const auto rank = [this](const FamilyMember& member) {
        return member.state == 'D' ? 0 : member.identity == *attempt_.worker ? 2 : 1;
    };
    const FamilyMember& member =
        *std::min_element(left.begin(), left.end(), [&](const FamilyMember& one, const FamilyMember& other) {
            return rank(one) < rank(other);
        });
    const bool is_new = !stuck_;
    stuck_pid_ = member.identity.pid;
    const std::string state(1, member.state);
    stuck_ = "Stopping: the process cannot be killed (" + state + " state). Process " +
             std::to_string(member.identity.pid) + " \"" + member.name + "\" " +
             (member.state == 'D' ? "waits inside the kernel, mostly for a disk, a network folder or a driver"
                                  : "is still there after SIGKILL") +
             ". Its memory stays booked until it is gone; bring back what it waits for, or restart the "
             "machine.";
    if (!is_new) return;
    spdlog::error("process_unkillable job={} attempt={} pid={} state={} count={}", id().job.value,
                  id().number, member.identity.pid, member.state, left.size());
    const std::string data =
        nlohmann::json{{"pid", member.identity.pid}, {"state", state}, {"message", *stuck_}}.dump(
            -1, ' ', false, nlohmann::json::error_handler_t::replace);
    // The state says what is being done, also for one whose worker is lost.
    const std::string reason = reason_.empty() ? "worker_lost" : reason_;
    loop_.change({[id = id(), reason, data](db::Store& store, UnixMs now) -> Status {
                      const auto job = store.job(id.job);
                      if (!job) return job.error();
                      const bool is_current = *job && (*job)->attempt == id.number && is_live((*job)->state);
                      if (is_current && (*job)->state != JobState::kStopping) {
                          NIGHTSHIFT_TRY(
                              store.set_stopping(id, reason, now, now,
                                                 {"job", "stopping", "scheduler", because(reason.c_str())}));
                      }
                      const auto event =
                          store.append_event({"job", "unkillable", "daemon", data}, id.job, id.number, now);
                      if (!event) return event.error();
                      return {};
                  },
                  {},
                  false});
}

void Supervisor::arm_time_limit() {
    if (!job_.spec.time_limit || !attempt_.running_at) return;
    const Millis ran = job_.run_time + (loop_.clock().now() - *attempt_.running_at);
    const Millis left{std::max<std::int64_t>(0, (*job_.spec.time_limit - ran).value)};
    time_limit_->set(left, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->on_time_limit();
    });
}

void Supervisor::on_time_limit() {
    if (is_end_pending_ || asked_ == Asked::kStop) return;
    loop_.change({[id = id()](db::Store& store, UnixMs now) {
                      return store.set_stopping(id, "time_limit", now + kStopGrace, now,
                                                {"job", "stopping", "scheduler", because("time_limit")});
                  },
                  [self = shared_from_this()](const Status& stored) {
                      if (stored) self->stop(kStopGrace, "time_limit");
                  },
                  false});
}

}  // namespace nightshift::daemon
