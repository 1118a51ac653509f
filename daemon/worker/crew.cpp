#include "daemon/worker/crew.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <nlohmann/json.hpp>
#include <utility>

#include "scheduler/crash_point.h"

namespace nightshift::daemon {

namespace {

constexpr Millis kPingStep = seconds(10);
/// While memory is on its way back.
constexpr Millis kReleaseStep{100};

/// When a live job will likely end, from the best there is.
std::optional<UnixMs> predict_end(const LiveJob& live, const Snapshot& snapshot, const Supervisor* supervisor,
                                  UnixMs now) {
    if (supervisor != nullptr && supervisor->progress() && supervisor->progress()->eta) {
        return now - supervisor->progress_age() + *supervisor->progress()->eta;
    }
    const UnixMs from = live.attempt.running_at.value_or(live.attempt.granted_at);
    if (live.job.spec.estimate) {
        const Millis left = *live.job.spec.estimate - live.job.run_time;
        return from + Millis{std::max<std::int64_t>(0, left.value)};
    }
    for (const KindStats& stats : snapshot.stats) {
        if (stats.kind == live.job.spec.kind && stats.runs > 0) {
            const Millis left = stats.run_time_p90 - live.job.run_time;
            return from + Millis{std::max<std::int64_t>(0, left.value)};
        }
    }
    if (live.job.spec.time_limit) {
        const Millis left = *live.job.spec.time_limit - live.job.run_time;
        return from + Millis{std::max<std::int64_t>(0, left.value)};
    }
    return std::nullopt;
}

}  // namespace

Crew::Crew(Loop& loop, Workplace workplace)
    : loop_(loop),
      workplace_(std::move(workplace)),
      ping_(loop.alarms().make()),
      sample_(loop.alarms().make()) {}

Status Crew::open() {
    auto listener = ControlListener::open(loop_.io(), kControlSocket,
                                          [this](std::shared_ptr<Channel> channel, const wire::Hello& hello) {
                                              on_hello(std::move(channel), hello);
                                          });
    if (!listener) return listener.error();
    listener_ = std::move(*listener);
    return {};
}

void Crew::close() {
    listener_.reset();
    ping_->silence();
    sample_->silence();
    members_.clear();
}

Supervisor::Callbacks Crew::callbacks() {
    return {[this] { refresh_devices(); },
            [this](const AttemptId& id) {
                // Later: the caller is the supervisor that goes now.
                boost::asio::post(loop_.io(), [this, id] { on_finished(id); });
            }};
}

void Crew::start(Job job, Attempt attempt, Bytes budget) {
    const AttemptId id = attempt.id;
    auto supervisor = std::make_shared<Supervisor>(loop_, workplace_, std::move(job), std::move(attempt),
                                                   budget, callbacks());
    members_[id] = supervisor;
    supervisor->launch();
    arm_ping();
    arm_sample();
}

void Crew::adopt(const LiveJob& live, std::unique_ptr<Process> process, bool is_ended) {
    auto supervisor = std::make_shared<Supervisor>(loop_, workplace_, live.job, live.attempt,
                                                   live.lease.budget, callbacks());
    members_[live.attempt.id] = supervisor;
    supervisor->adopt(std::move(process), is_ended);
    arm_ping();
}

std::shared_ptr<Supervisor> Crew::find(const AttemptId& id) const {
    const auto found = members_.find(id);
    return found == members_.end() ? nullptr : found->second;
}

std::shared_ptr<Supervisor> Crew::find(JobId job) const {
    std::shared_ptr<Supervisor> newest;
    for (auto at = members_.lower_bound({job, 0}); at != members_.end() && at->first.job == job; ++at) {
        newest = at->second;
    }
    return newest;
}

void Crew::on_hello(std::shared_ptr<Channel> channel, const wire::Hello& hello) {
    const auto supervisor = find(hello.attempt);
    if (supervisor && supervisor->token() == hello.token)
        return supervisor->connect(std::move(channel), hello);
    const auto attempt = loop_.store().attempt_by_token(hello.token);
    if (attempt && *attempt && (*attempt)->id == hello.attempt && (*attempt)->end) {
        return channel->send(wire::Bye{});  // its end was read from result.json
    }
    spdlog::warn("hello_refused job={} attempt={} pid={}", hello.attempt.job.value, hello.attempt.number,
                 hello.worker.pid);
    channel->send(wire::Refuse{"This attempt is not running; its token is not valid any more."});
}

void Crew::on_finished(const AttemptId& id) {
    const auto found = members_.find(id);
    if (found == members_.end()) return;
    const std::shared_ptr<Supervisor> gone = found->second;
    members_.erase(found);
    Lease lease;
    lease.attempt = id;
    lease.device = gone->device();
    lease.budget = gone->budget();
    lease.peak = gone->peak();
    if (expect_release(lease)) refresh_devices();
    if (members_.empty() && on_empty_) on_empty_();
}

bool Crew::expect_release(const Lease& lease) {
    if (!is_measured() || lease.device.empty()) {
        release({lease.attempt, lease.device, {}, false});
        return false;
    }
    releases_.add(lease.attempt, lease.device, lease.budget, lease.peak, loop_.clock().steady());
    return true;
}

void Crew::release(const ReleaseWatch::Over& over) {
    const AttemptId id = over.id;
    std::string overdue;
    if (over.is_overdue) {
        spdlog::warn("release_overdue job={} attempt={} bytes={}", id.job.value, id.number, over.left.value);
        overdue = nlohmann::json{{"bytes", over.left.value}}.dump();
    }
    loop_.change({[id, overdue](db::Store& store, UnixMs now) -> Status {
                      NIGHTSHIFT_TRY(store.release_lease(id));
                      if (!overdue.empty()) {
                          const auto event = store.append_event({"job", "release_overdue", "probe", overdue},
                                                                id.job, id.number, now);
                          if (!event) return event.error();
                      }
                      crash_point("lease.released");
                      return {};
                  },
                  [](const Status&) { crash_point("lease.release_committed"); }, true});
}

void Crew::release_leases() {
    for (const ReleaseWatch::Over& over : releases_.take_over(loop_.clock().steady())) {
        // Until the next sample says so itself: a plan may come before it.
        if (devices_ != nullptr) devices_->count_as_foreign(over.device, over.left);
        release(over);
    }
}

Bytes Crew::claimed_on(const std::string& uuid) const {
    Bytes sum;
    for (const auto& [id, supervisor] : members_) {
        if (supervisor->device() == uuid) sum += supervisor->claimed();
    }
    return sum;
}

DeviceBook::Ours Crew::attribute(const DeviceSample& sample, Bytes foreign) {
    DeviceBook::Ours ours;
    std::map<std::int64_t, AttemptId> by_session;
    std::map<AttemptId, Bytes> used;
    Bytes gone;  // of those whose end is being stored
    Bytes others;
    for (const auto& [id, supervisor] : members_) {
        if (supervisor->device() != sample.uuid) continue;
        if (supervisor->is_gone()) {
            gone += std::max(supervisor->budget(), supervisor->peak());
            continue;
        }
        if (supervisor->worker()) by_session[supervisor->worker()->pid] = id;
        used[id] = Bytes{};
    }
    for (const ProcessMemory& process : sample.processes) {
        const auto session = workplace_.processes->session_of(process.pid);
        if (session <= 0) continue;  // gone, though the driver still lists it
        if (const auto found = by_session.find(session); found != by_session.end()) {
            used[found->second] += process.used;
            ours.pids.push_back(process.pid);
        } else {
            others += process.used;
        }
    }
    for (const auto& [id, bytes] : used) {
        const auto& supervisor = members_.at(id);
        if (!is_measured()) {
            ours.used += supervisor->used();
            continue;
        }
        supervisor->set_measured(bytes);
        // What a job claims is not what the driver counts: subtracted from its sum, it would hide others.
        ours.used += sample.has_process_memory ? bytes : supervisor->held();
    }
    if (!is_measured()) return ours;
    const Bytes rest = std::max(Bytes{}, sample.used - ours.used - std::max(foreign, others));
    gone = std::min(gone, rest);
    ours.used += gone + releases_.share(sample.uuid, rest - gone);
    return ours;
}

void Crew::complete(Snapshot& snapshot, UnixMs now) const {
    for (LiveJob& live : snapshot.live) {
        const auto supervisor = find(live.attempt.id);
        if (supervisor) {
            live.lease.used = supervisor->used();
            live.lease.peak = std::max(live.lease.peak, supervisor->peak());
            if (supervisor->progress()) live.job.progress = supervisor->progress();
            // Plans subtract it from now; the wall clock may have been set since it was written down.
            if (const auto ran = supervisor->ran()) live.attempt.running_at = now - *ran;
        }
        live.predicted_end = predict_end(live, snapshot, supervisor.get(), now);
    }
    for (Lease& lease : snapshot.reclaiming) lease.used = releases_.left(lease.attempt);
}

void Crew::refresh_devices() {
    if (devices_ == nullptr) return;
    devices_->refresh([this](bool is_changed) {
        release_leases();
        const bool is_look_wanted = std::exchange(is_look_wanted_, false);
        if (is_changed || is_look_wanted) loop_.wake();
        if (is_changed) {
            nlohmann::json data = nlohmann::json::array();
            for (const DeviceState& state : devices_->states()) {
                nlohmann::json row{{"uuid", state.device.uuid}, {"foreign", state.foreign.value}};
                if (state.sample) row["used"] = state.sample->used.value;
                data.push_back(std::move(row));
            }
            loop_.events().publish({{}, loop_.clock().now(), "gpu", "sample", {}, 0, "probe", data.dump()});
        }
    });
    arm_sample();
}

void Crew::confirm_devices() {
    is_look_wanted_ = true;
    refresh_devices();
}

void Crew::arm_sample() {
    if (devices_ == nullptr) return;
    auto wait = devices_->next_sample_in(!members_.empty());
    if (!releases_.is_empty()) wait = std::min(wait.value_or(kReleaseStep), kReleaseStep);
    if (!wait) return;
    sample_->set(std::max(*wait, Millis{1}), [this] { refresh_devices(); });
}

void Crew::arm_ping() {
    if (ping_->is_set() || members_.empty()) return;
    ping_->set(kPingStep, [this] {
        for (const auto& [id, supervisor] : members_) supervisor->ping();
        arm_ping();
    });
}

}  // namespace nightshift::daemon
