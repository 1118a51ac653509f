#include <spdlog/spdlog.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/worker/supervisor.h"
#include "scheduler/crash_point.h"

namespace nightshift::daemon {
namespace {

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

void Supervisor::arm_time_limit() {
    const auto ran = this->ran();
    if (!job_.spec.time_limit || !ran) return;
    const Millis left = std::max(Millis{}, *job_.spec.time_limit - job_.run_time - *ran);
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
