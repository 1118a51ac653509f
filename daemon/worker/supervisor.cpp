#include "daemon/worker/supervisor.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/paths.h"
#include "scheduler/crash_point.h"
#include "scheduler/defect.h"
#include "scheduler/over_budget.h"

namespace nightshift::daemon {

namespace {

/// Progress and memory reach the database this often; readers see the newest from memory.
constexpr Millis kStoreStep = seconds(10);
/// So much of a run time is forgotten when the machine loses its power.
constexpr Millis kRanStep = seconds(60);
constexpr int kPingsMissedMax = 3;
constexpr int kSamplesOverBudget = 3;

std::string dump(const nlohmann::json& data) {
    return data.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

Supervisor::Supervisor(Loop& loop, const Workplace& workplace, Job job, Attempt attempt, Bytes budget,
                       Callbacks callbacks)
    : loop_(loop),
      workplace_(workplace),
      job_(std::move(job)),
      attempt_(std::move(attempt)),
      budget_(budget),
      callbacks_(std::move(callbacks)),
      deadline_(loop.alarms().make()),
      time_limit_(loop.alarms().make()),
      linger_(loop.alarms().make()) {}

void Supervisor::launch() {
    const std::string folder = workplace_.attempt_folder(id());
    SpawnRequest request;
    request.program = job_.spec.kind == "command" ? workplace_.command_path : workplace_.worker_path;
    request.arguments = {"attempt", "--job", std::to_string(id().job.value), "--attempt",
                         std::to_string(id().number)};
    request.environment = {{"NIGHTSHIFT_CONTROL", kControlSocket},
                           {"NIGHTSHIFT_ATTEMPT_TOKEN", attempt_.token},
                           {"NIGHTSHIFT_JOB_ID", std::to_string(id().job.value)},
                           {"NIGHTSHIFT_ATTEMPT", std::to_string(id().number)}};
    request.folder = workplace_.data_folder;
    request.log_path = folder + "/stdout.log";
    request.descriptors_max = workplace_.descriptors_max;
    if (Status made = make_folders(folder); !made) {
        is_gone_ = true;
        return finish(spawn_error_facts(made.error()));
    }
    crash_point("spawn.folder_made");
    auto process = workplace_.processes->spawn(request);
    if (!process) {
        is_gone_ = true;
        return finish(spawn_error_facts(process.error()));
    }
    crash_point("spawn.done");
    attempt_.worker = (*process)->identity();
    watch(std::move(*process));
    loop_.change({[id = id(), worker = *attempt_.worker](db::Store& store, UnixMs) -> Status {
                      NIGHTSHIFT_TRY(store.set_worker(id, worker));
                      crash_point("identity.stored");
                      return {};
                  },
                  [self = shared_from_this()](const Status& stored) {
                      if (!stored) return;
                      crash_point("identity.committed");
                      self->is_identity_stored_ = true;
                      self->maybe_start();
                  },
                  true});
}

void Supervisor::adopt(std::unique_ptr<Process> process, bool is_ended) {
    const bool is_worker = !attempt_.worker || *attempt_.worker == process->identity();
    if (!attempt_.worker) attempt_.worker = process->identity();
    is_ended_ = is_ended;
    is_end_pending_ = is_ended;
    is_identity_stored_ = true;
    watch(std::move(process));
    if (is_ended) {
        // It waits for a goodbye it will get when it connects; patience is short.
        arm_deadline(kLinger);
        return;
    }
    if (!is_worker) {
        is_worker_gone_ = true;
        reason_ = attempt_.stop_reason;
        kill_all();
        return;
    }
    if (attempt_.running_at) {
        // What is stored is a little less than the truth; the worker tells it when it connects.
        const auto stored = loop_.store().ran(id());
        if (stored) {
            ran_before_ = *stored;
        } else {
            spdlog::error("ran_unknown job={} attempt={} error=\"{}\"", id().job.value, id().number,
                          stored.error().message);
        }
        ran_from_ = loop_.clock().steady();
        arm_time_limit();
    }
    // The wall clock may have been set since: patience neither vanishes nor grows by that.
    const Millis left = attempt_.deadline ? *attempt_.deadline - loop_.clock().now() : Millis{};
    const Millis grace_max = std::max(kStopGrace, workplace_.yield_grace());
    if (job_.state == JobState::kYielding)
        ask_to_yield(std::clamp(left, kStopGrace, grace_max), attempt_.stop_reason);
    if (NIGHTSHIFT_RULE(105, job_.state == JobState::kStopping, false))
        stop(std::clamp(left, Millis{}, kStopGrace), attempt_.stop_reason);
}

void Supervisor::watch(std::unique_ptr<Process> process) {
    process_ = std::move(process);
    process_->on_exit([weak = weak_from_this()](const ExitStatus& status) {
        if (const auto self = weak.lock()) self->on_exit(status);
    });
}

void Supervisor::connect(std::shared_ptr<Channel> channel, const wire::Hello& hello) {
    const bool is_other = (attempt_.worker && hello.worker != *attempt_.worker) ||
                          (channel->peer_pid() != 0 && channel->peer_pid() != hello.worker.pid);
    if (is_other) {
        spdlog::warn("hello_refused job={} attempt={} pid={}", id().job.value, id().number, hello.worker.pid);
        return channel->send(wire::Refuse{"Another process runs this attempt."});
    }
    crash_point("hello.received");
    if (channel_) channel_->close("the worker connected again");
    channel_ = std::move(channel);
    pings_unanswered_ = 0;
    channel_->open(
        [weak = weak_from_this()](wire::FromWorker message) {
            if (const auto self = weak.lock()) self->on_message(std::move(message));
        },
        [weak = weak_from_this(), channel = channel_.get()](const std::string&) {
            const auto self = weak.lock();
            if (self && self->channel_.get() == channel) self->channel_.reset();
        });
    if (is_ended_) return channel_->send(wire::Bye{});
    if (!hello.is_started) return maybe_start();
    is_start_sent_ = true;
    channel_->send(wire::Welcome{});
    if (hello.command) attempt_.command = hello.command;
    tell();
}

void Supervisor::maybe_start() {
    // Nothing has begun yet: a job that is to stop never does.
    if (!channel_ || is_start_sent_ || !is_identity_stored_ || is_end_pending_) return;
    if (asked_ != Asked::kNothing)
        return channel_->send(wire::Refuse{"The job was asked to stop: " + reason_});
    auto start = start_message();
    if (!start) {
        spdlog::error("start_failed job={} error=\"{}\"", id().job.value, start.error().message);
        return channel_->close("the job could not be read");
    }
    is_start_sent_ = true;
    channel_->send(*start);
    crash_point("start.sent");
}

Result<wire::Start> Supervisor::start_message() {
    db::Store& store = loop_.store();
    auto job = store.job(id().job);
    if (!job) return job.error();
    if (!*job) return Error{ErrorCode::kNotFound, "no_such_job", "The job is gone.", "", ""};
    job_ = std::move(**job);
    wire::Start start;
    start.attempt = id();
    start.kind = job_.spec.kind;
    start.params_json = job_.spec.params_json;
    start.command = job_.spec.command;
    start.cwd = job_.spec.cwd;
    start.env = job_.spec.env;
    start.checkpoint = job_.spec.checkpoint;
    start.folder = workplace_.attempt_folder(id());
    start.cache_folder = workplace_.cache_folder();
    start.vram = budget_;
    start.threads = job_.spec.cpu;
    const Limits limits = workplace_.limits();
    start.log_max = limits.log;
    start.processes_max = limits.processes;
    if (const Device* device = workplace_.find_device(attempt_.device)) {
        start.is_simulated = device->is_simulated;
        if (!device->is_simulated && !device->is_host && budget_.value > 0) start.device = device->uuid;
    }
    auto checkpoint = store.last_checkpoint(id().job);
    if (checkpoint && !*checkpoint && job_.rerun_of) checkpoint = store.last_checkpoint(job_.rerun_of);
    if (!checkpoint) return checkpoint.error();
    if (*checkpoint) {
        const std::string& path = (*checkpoint)->path;
        start.resume_folder = path.starts_with('/') ? path : workplace_.data_folder + "/" + path;
    }
    for (const Dependency& dependency : job_.spec.after) {
        const auto parent = store.job(dependency.on);
        if (!parent) return parent.error();
        if (*parent && (*parent)->attempt > 0) {
            start.inputs.push_back(
                {dependency.on, workplace_.attempt_folder({dependency.on, (*parent)->attempt})});
        }
    }
    return start;
}

void Supervisor::on_message(wire::FromWorker message) {
    if (const auto* started = std::get_if<wire::Started>(&message)) {
        on_started(*started);
    } else if (const auto* report = std::get_if<wire::ProgressReport>(&message)) {
        on_progress(report->progress);
    } else if (const auto* memory = std::get_if<wire::MemoryReport>(&message)) {
        const bool is_changed = claimed_ != memory->used;
        claimed_ = memory->used;
        peak_ = std::max({peak_, memory->peak, memory->used});
        note_over_budget();
        if (is_changed) callbacks_.on_memory();
    } else if (auto* checkpoint = std::get_if<wire::CheckpointCommitted>(&message)) {
        on_checkpoint(std::move(checkpoint->checkpoint));
    } else if (const auto* refused = std::get_if<wire::CheckpointRefused>(&message)) {
        on_refused(*refused);
    } else if (const auto* done = std::get_if<wire::Done>(&message)) {
        crash_point("done.received");
        has_said_done_ = true;
        const auto result = read_result(workplace_.attempt_folder(id()), id());
        finish(result ? facts_of(*result) : facts_of(*done));
    } else if (std::holds_alternative<wire::Pong>(message)) {
        pings_unanswered_ = 0;
    }
}

std::optional<Millis> Supervisor::ran() const {
    if (!ran_from_) return std::nullopt;
    return ran_before_ + (loop_.clock().steady() - *ran_from_);
}

void Supervisor::on_started(const wire::Started& started) {
    if (started.command) attempt_.command = started.command;
    if (!attempt_.running_at) attempt_.running_at = loop_.clock().now();
    ran_before_ = std::max(ran().value_or(Millis{}), started.ran);
    ran_from_ = loop_.clock().steady();
    arm_time_limit();
    nlohmann::json data{{"device", attempt_.device}, {"grade", to_string(started.grade)}};
    if (attempt_.worker) data["pid"] = attempt_.worker->pid;
    loop_.change(
        {[id = id(), command = started.command, grade = started.grade, text = dump(data)](
             db::Store& store, UnixMs now) -> Status {
             NIGHTSHIFT_TRY(store.set_running(id, command, grade, now, {"job", "started", "worker", text}));
             crash_point("running.stored");
             return {};
         },
         [](const Status&) { crash_point("running.committed"); }, true});
}

void Supervisor::on_progress(const Progress& progress) {
    progress_ = progress;
    progress_at_ = loop_.clock().steady();
    if (loop_.events().has_listeners()) {
        nlohmann::json data{{"phase", progress.phase}, {"step", progress.step}, {"steps", progress.steps}};
        data["eta_s"] =
            progress.eta ? nlohmann::json(static_cast<double>(progress.eta->value) / 1000.0) : nullptr;
        data["metrics"] = nlohmann::json::object();
        for (const auto& [name, value] : progress.metrics) data["metrics"][name] = value;
        loop_.events().publish(
            {{}, loop_.clock().now(), "job", "progress", id().job, id().number, "worker", dump(data)});
    }
    const Millis now = loop_.clock().steady();
    if (!stored_at_ || now - *stored_at_ >= kStoreStep) store_use();
}

void Supervisor::store_use() {
    stored_at_ = loop_.clock().steady();
    loop_.change({[id = id(), progress = progress_, ran = ran(), used = used(), peak = peak_](
                      db::Store& store, UnixMs) -> Status {
                      if (progress) NIGHTSHIFT_TRY(store.set_progress(id, *progress));
                      if (ran) NIGHTSHIFT_TRY(store.set_ran(id, *ran));
                      return store.set_lease_use(id, used, peak);
                  },
                  {},
                  false});
}

void Supervisor::on_checkpoint(Checkpoint checkpoint) {
    checkpoint.job = id().job;
    checkpoint.attempt = id().number;
    const std::string data = dump({{"step", checkpoint.step}, {"bytes", checkpoint.bytes.value}});
    loop_.change(
        {[checkpoint, data](db::Store& store, UnixMs now) -> Status {
             NIGHTSHIFT_TRY(store.add_checkpoint(checkpoint, now, {"job", "checkpoint", "worker", data}));
             crash_point("checkpoint.stored");
             return {};
         },
         [](const Status&) { crash_point("checkpoint.committed"); }, true});
}

void Supervisor::on_refused(const wire::CheckpointRefused& refused) {
    spdlog::warn("checkpoint_refused job={} attempt={} path=\"{}\" reason=\"{}\"", id().job.value,
                 id().number, refused.path, refused.reason);
    const std::string data = dump({{"path", refused.path}, {"reason", refused.reason}});
    loop_.change(
        {[id = id(), path = refused.path, data](db::Store& store, UnixMs now) -> Status {
             return store.refuse_checkpoint(id, path, now, {"job", "checkpoint_refused", "worker", data});
         },
         {},
         true});
}

void Supervisor::ping() {
    const Millis now = loop_.clock().steady();
    const bool is_due = ran_from_ && now - stored_at_.value_or(*ran_from_) >= kRanStep;
    if (is_due && !is_end_pending_) store_use();
    if (!channel_ || is_ended_) return;
    if (++pings_unanswered_ == kPingsMissedMax) {
        // Only said, never acted on: a busy or stopped process is not a dead one.
        spdlog::warn("worker_silent job={} attempt={}", id().job.value, id().number);
    }
    channel_->send(wire::Ping{pings_unanswered_});
}

Bytes Supervisor::used() const {
    return is_gone_ ? measured_ : std::max(claimed_, measured_);
}

void Supervisor::set_measured(Bytes used) {
    measured_ = used;
    peak_ = std::max(peak_, used);
    note_over_budget();
}

void Supervisor::note_over_budget() {
    const bool is_over = nightshift::is_over_budget(used(), budget_);
    samples_over_budget_ = is_over ? samples_over_budget_ + 1 : 0;
    // A sample may have met a spike; what a job says of itself needs no confirmation.
    const bool is_sure =
        nightshift::is_over_budget(claimed_, budget_) || samples_over_budget_ >= kSamplesOverBudget;
    if (is_over_budget_ == (is_over && is_sure)) return;
    is_over_budget_ = !is_over_budget_;
    loop_.wake();
    store_use();
    if (!is_over_budget_ || is_over_budget_told_) return;
    is_over_budget_told_ = true;
    spdlog::warn("over_budget job={} attempt={} used={} budget={}", id().job.value, id().number, used().value,
                 budget_.value);
    const std::string data = dump({{"used", used().value}, {"budget", budget_.value}});
    loop_.change({[id = id(), data](db::Store& store, UnixMs now) -> Status {
                      const auto event =
                          store.append_event({"job", "over_budget", "probe", data}, id.job, id.number, now);
                      if (!event) return event.error();
                      return {};
                  },
                  {},
                  false});
}

}  // namespace nightshift::daemon
