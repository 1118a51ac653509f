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

}  // namespace

void Supervisor::finish(AttemptFacts facts) {
    if (is_end_pending_) return;
    is_end_pending_ = true;
    killing_since_.reset();
    stuck_.reset();
    deadline_->silence();
    time_limit_->silence();
    peak_ = std::max(peak_, facts.peak);
    facts.peak = peak_;
    if (facts.report.run_time.value == 0) facts.report.run_time = ran().value_or(Millis{});
    facts.report.vram_max = workplace_.vram_max(job_.spec);
    // Where the driver counts, the bytes have to be seen free first; the crew releases the lease then.
    const Device* device = workplace_.find_device(attempt_.device);
    const bool is_free = is_gone_ && (device == nullptr || device->is_simulated || device->is_host);
    loop_.change({[id = id(), facts = std::move(facts), is_free, progress = progress_](db::Store& store,
                                                                                       UnixMs now) -> Status {
                      if (progress) NIGHTSHIFT_TRY(store.set_progress(id, *progress));
                      NIGHTSHIFT_TRY(store_end(store, id, facts, is_free, now));
                      crash_point("end.stored");
                      return {};
                  },
                  [self = shared_from_this()](const Status& stored) {
                      if (!stored) {
                          spdlog::error("end_not_stored job={} attempt={} error=\"{}\"", self->id().job.value,
                                        self->id().number, stored.error().message);
                      }
                      crash_point("end.committed");
                      self->is_ended_ = true;
                      if (self->channel_) self->channel_->send(wire::Bye{});
                      crash_point("bye.sent");
                      if (!self->is_gone_) {
                          self->linger_->set(kLinger, [weak = self->weak_from_this()] {
                              if (const auto late = weak.lock()) late->kill_all();
                          });
                      }
                      self->check_finished();
                  },
                  true});
}

void Supervisor::on_exit(const ExitStatus& status) {
    crash_point("exit.seen");
    const auto result = is_end_pending_ ? std::nullopt : read_result(workplace_.attempt_folder(id()), id());
    // Whatever the worker started goes with it. One that came to its result has seen to that itself; a killed
    // one could not, and only then is it worth a look at every process of the machine.
    const bool is_orderly = status.exit_code && (has_said_done_ || result);
    const Processes& processes = *workplace_.processes;
    const bool is_group_left = (attempt_.worker && processes.has_group(*attempt_.worker)) ||
                               (attempt_.command && processes.has_group(*attempt_.command));
    is_worker_gone_ = true;
    worker_status_ = status;
    // Until nothing of it is left the attempt goes on, and so does its claim on memory.
    if ((is_orderly && !is_group_left) || kill_all()) on_gone();
}

void Supervisor::on_gone() {
    if (is_gone_) return;
    is_gone_ = true;
    linger_->silence();
    if (!is_end_pending_) {
        const auto result = read_result(workplace_.attempt_folder(id()), id());
        if (!result) {
            spdlog::warn("worker_lost job={} attempt={} signal={} exit_code={}", id().job.value, id().number,
                         worker_status_.signal.value_or(0), worker_status_.exit_code.value_or(0));
        }
        finish(result ? facts_of(*result) : lost_facts(worker_status_));
    }
    callbacks_.on_memory();
    check_finished();
}

void Supervisor::check_finished() {
    if (is_ended_ && is_gone_) callbacks_.on_finished(id());
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
    const FamilyMember& member = *std::min_element(
        left.begin(), left.end(),
        [&](const FamilyMember& one, const FamilyMember& other) { return rank(one) < rank(other); });
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
    const std::string because = nlohmann::json{{"reason", reason}}.dump();
    loop_.change({[id = id(), reason, because, data](db::Store& store, UnixMs now) -> Status {
                      const auto job = store.job(id.job);
                      if (!job) return job.error();
                      const bool is_current = *job && (*job)->attempt == id.number && is_live((*job)->state);
                      if (is_current && (*job)->state != JobState::kStopping) {
                          NIGHTSHIFT_TRY(store.set_stopping(id, reason, now, now,
                                                            {"job", "stopping", "scheduler", because}));
                      }
                      const auto event =
                          store.append_event({"job", "unkillable", "daemon", data}, id.job, id.number, now);
                      if (!event) return event.error();
                      return {};
                  },
                  {},
                  false});
}

}  // namespace nightshift::daemon
