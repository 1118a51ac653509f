#include "tests/api/fake_daemon.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "api/digest.h"

namespace nightshift::tests {
namespace {

constexpr const char* kSleepParams = R"({"type":"object","properties":{
    "seconds":{"type":"number","minimum":0,"default":1},"allocate":{"type":["integer","string"]}}})";
constexpr const char* kExtractParams = R"({"type":"object","required":["dataset"],"properties":{
    "dataset":{"type":"string","x-artifact":"dataset"},
    "set":{"type":"string","enum":["native","compat21","compat75","compat81"]}}})";
constexpr const char* kEnsembleParams = R"({"type":"object","properties":{
    "models":{"type":"array","items":{"type":"string","x-artifact":"model"}}}})";

api::KindInfo kind(std::string name, JobClass job_class, std::string schema) {
    api::KindInfo info;
    info.name = std::move(name);
    info.job_class = job_class;
    info.params_schema_json = std::move(schema);
    return info;
}
constexpr const char* kEitherParams = R"({"type":"object","properties":{"models":{"x-artifact":"model",
    "anyOf":[{"type":"string"},{"type":"array","items":{"type":"string"}}]}}})";

}  // namespace

FakeDaemon::FakeDaemon() {
    known_kinds.push_back(kind("sleep", JobClass::kSynthesis, kSleepParams));
    known_kinds.back().estimate_param = "seconds";
    known_kinds.push_back(kind("extract", JobClass::kTraining, kExtractParams));
    known_kinds.back().vram = gibibytes(1);
    known_kinds.push_back(kind("train.ensemble", JobClass::kTraining, kEnsembleParams));
    known_kinds.push_back(kind("either", JobClass::kEvaluation, kEitherParams));
    known_kinds.push_back(kind("score", JobClass::kInference, R"({"type":"object","properties":{}})"));
    known_kinds.push_back(kind("command", JobClass::kTraining, R"({"type":"object","properties":{}})"));
    known_kinds.back().checkpoint = CheckpointMode::kNone;
    stored_tokens = {{api::sha256_hex(kAdminToken), "admin", "auth.hdr", std::nullopt},
                     {api::sha256_hex(kOperatorToken), "operator", "operator.hdr", std::nullopt},
                     {api::sha256_hex(kViewerToken), "viewer", "viewer.hdr", std::nullopt}};
}

Job& FakeDaemon::add_job(JobState state, const std::string& kind_name) {
    Job job;
    job.id = JobId{next_id_++};
    job.spec.kind = kind_name;
    job.spec.name = kind_name;
    job.spec.job_class = JobClass::kSynthesis;
    job.state = state;
    job.order_key = job.id.value;
    job.created_at = time;
    return jobs_by_id[job.id.value] = job;
}

void FakeDaemon::publish(std::string topic, std::string event_kind, JobId job) {
    db::StoredEvent event;
    event.seq = EventSeq{stored_events.empty() ? oldest_event.value : stored_events.back().seq.value + 1};
    event.at = time;
    event.topic = std::move(topic);
    event.kind = std::move(event_kind);
    event.job = job;
    event.data_json = "{}";
    stored_events.push_back(event);
    const EventRecord record{event.seq, event.at, event.topic, event.kind, event.job, 0, "", "{}"};
    const auto listeners = listeners_;
    for (const auto& listener : listeners) listener(record);
}

void FakeDaemon::publish_sample(std::string topic, std::string data_json) {
    const EventRecord record{EventSeq{}, time, std::move(topic), "sample", {}, 0, "", std::move(data_json)};
    const auto listeners = listeners_;
    for (const auto& listener : listeners) listener(record);
}

void FakeDaemon::set_state(JobId id, JobState state) {
    Job& job = jobs_by_id[id.value];
    job.state = state;
    ++job.version;
    if (is_terminal(state)) job.outcome = Outcome{"ok", "It ended.", 0, std::nullopt, false};
    publish("job", std::string(to_string(state)), id);
}

void FakeDaemon::answer(std::function<void()> reply) {
    if (holds_replies)
        held_replies.push_back(std::move(reply));
    else
        reply();
}

void FakeDaemon::submit(api::SubmitRequest request, Reply<api::SubmitReply> reply) {
    calls.push_back("submit");
    Job& job = add_job(JobState::kWaiting, request.spec.kind);
    job.spec = request.spec;
    job.held = request.spec.hold;
    job.retries_left = request.spec.retries;
    remember(request.key, {job.id});
    publish("job", "submitted", job.id);
    answer([reply, id = job.id] { reply(api::SubmitReply{id, false, {}}); });
}

void FakeDaemon::act(JobId id, api::JobAction action, std::string, Reply<void> reply) {
    static constexpr const char* kNames[] = {"cancel", "hold", "release", "preempt"};
    calls.push_back(std::string(kNames[static_cast<int>(action)]) + " " + std::to_string(id.value));
    Job& job = jobs_by_id[id.value];
    if (is_terminal(job.state)) {
        return reply(Error{ErrorCode::kConflict, "state_conflict", "The job has ended.", "Use retry.", ""});
    }
    if (action == api::JobAction::kCancel) set_state(id, JobState::kCancelled);
    if (action == api::JobAction::kHold || action == api::JobAction::kRelease) {
        job.held = action == api::JobAction::kHold;
        ++job.version;
    }
    reply(Result<void>());
}

void FakeDaemon::retry(JobId id, bool with_dependents, std::string, api::IdempotencyKey key,
                       Reply<api::Created> reply) {
    calls.push_back("retry " + std::to_string(id.value) + (with_dependents ? " with dependents" : ""));
    const JobSpec spec = jobs_by_id[id.value].spec;
    Job& job = add_job(JobState::kWaiting);
    job.spec = spec;
    job.rerun_of = id;
    remember(key, {job.id});
    reply(api::Created{{job.id}, false});
}

void FakeDaemon::patch(JobId id, api::JobPatch patch, std::string, Reply<void> reply) {
    calls.push_back("patch " + std::to_string(id.value));
    Job& job = jobs_by_id[id.value];
    if (patch.if_match_version != job.version) {
        return reply(Error{ErrorCode::kConflict, "stale_etag", "Changed.", "", ""});
    }
    if (patch.spec) job.spec = *patch.spec;
    ++job.version;
    reply(Result<void>());
}

void FakeDaemon::hide(JobId id, std::string, Reply<void> reply) {
    calls.push_back("hide " + std::to_string(id.value));
    if (!is_terminal(jobs_by_id[id.value].state)) {
        return reply(
            Error{ErrorCode::kConflict, "state_conflict", "The job has not ended.", "Cancel it.", ""});
    }
    reply(Result<void>());
}

void FakeDaemon::put_schedule(Schedule schedule, bool must_be_new, std::string, api::IdempotencyKey key,
                              Reply<api::Created> reply) {
    calls.push_back("put_schedule");
    if (must_be_new && schedules_by_name.contains(schedule.name)) {
        return reply(
            Error{ErrorCode::kConflict, "schedule_exists", "The name is taken.", "Use PUT.", "/name"});
    }
    schedules_by_name[schedule.name] = std::move(schedule);
    remember(key, {});
    reply(api::Created{});
}

void FakeDaemon::delete_schedule(std::string name, std::string, Reply<void> reply) {
    calls.push_back("delete_schedule");
    schedules_by_name.erase(name);
    reply(Result<void>());
}

void FakeDaemon::enable_schedule(std::string name, bool enabled, std::string, Reply<void> reply) {
    calls.push_back("enable_schedule");
    schedules_by_name[name].enabled = enabled;
    reply(Result<void>());
}

void FakeDaemon::run_schedule(std::string, std::string, api::IdempotencyKey key, Reply<api::Created> reply) {
    calls.push_back("run_schedule");
    const api::Created made{{add_job(JobState::kWaiting).id}, false};
    remember(key, made.jobs);
    reply(made);
}

void FakeDaemon::remember(const api::IdempotencyKey& key, std::vector<JobId> jobs) {
    if (!key.key.empty()) idempotent_answers[{key.scope, key.key}] = {key.request_hash, std::move(jobs)};
}

Result<std::optional<db::IdempotentAnswer>> FakeDaemon::idempotent(const std::string& scope,
                                                                   const std::string& key) {
    const auto known = idempotent_answers.find({scope, key});
    if (known == idempotent_answers.end()) return std::optional<db::IdempotentAnswer>{};
    return std::optional(known->second);
}

void FakeDaemon::put_policy(Policy policy, std::string, std::string, Reply<void> reply) {
    calls.push_back("put_policy");
    current_policy = std::move(policy);
    ++policy_changes;
    reply(Result<void>());
}

void FakeDaemon::pause(api::PauseRequest request, Reply<void> reply) {
    calls.push_back(request.paused ? "pause" : "resume");
    reply(Result<void>());
}

void FakeDaemon::shut_down(bool, std::string, Reply<void> reply) {
    calls.push_back("shut_down");
    reply(Result<void>());
}

void FakeDaemon::put_token(db::StoredToken token, Reply<void> reply) {
    calls.push_back("put_token");
    stored_tokens.push_back(std::move(token));
    reply(Result<void>());
}

void FakeDaemon::delete_token(std::string sha256, Reply<void> reply) {
    calls.push_back("delete_token");
    std::erase_if(stored_tokens, [&](const db::StoredToken& token) { return token.sha256 == sha256; });
    reply(Result<void>());
}

Result<Snapshot> FakeDaemon::snapshot() const {
    Snapshot snapshot;
    snapshot.policy = current_policy;
    snapshot.devices = devices();
    snapshot.ram_total = gibibytes(32);
    snapshot.cpu_total = 8;
    snapshot.plan_seq = 7;
    for (const auto& [id, job] : jobs_by_id) {
        if (job.state != JobState::kWaiting || job.held) continue;
        const auto index = static_cast<std::size_t>(job.spec.job_class);
        snapshot.candidates[index].push_back(job);
        ++snapshot.waiting_count[index];
    }
    return snapshot;
}

std::vector<DeviceState> FakeDaemon::devices() const {
    DeviceState state;
    state.device.uuid = "GPU-fake-0";
    state.device.name = "Fake";
    state.device.total = card;
    state.device.is_simulated = true;
    return {state};
}

api::ServerStatus FakeDaemon::status() const {
    api::ServerStatus status;
    status.version = "0.1.0";
    status.data_folder = folder;
    status.is_ready = true;
    status.plan_seq = 7;
    return status;
}

std::vector<DeviceSample> FakeDaemon::history(const std::string& device_uuid, UnixMs since) const {
    std::vector<DeviceSample> out;
    for (UnixMs at = since; at < time; at = at + seconds(60)) {
        out.push_back({});
        out.back().uuid = device_uuid;
        out.back().at = at;
        out.back().used = gibibytes(1);
    }
    return out;
}

std::shared_ptr<void> FakeDaemon::subscribe(std::function<void(const EventRecord&)> listener) {
    listeners_.push_back(std::move(listener));
    const auto place = std::prev(listeners_.end());
    return std::shared_ptr<void>(this, [this, place](void*) { listeners_.erase(place); });
}

Result<std::optional<Job>> FakeDaemon::job(JobId id) {
    const auto found = jobs_by_id.find(id.value);
    if (found == jobs_by_id.end()) return std::optional<Job>();
    return std::optional<Job>(found->second);
}

Result<db::JobPage> FakeDaemon::jobs(const db::JobFilter& filter) {
    db::JobPage page;
    for (auto it = jobs_by_id.rbegin(); it != jobs_by_id.rend(); ++it) {
        const Job& job = it->second;
        const auto& states = filter.states;
        const bool is_wanted =
            states.empty() || std::find(states.begin(), states.end(), job.state) != states.end();
        if (!is_wanted || (filter.before_id != 0 && job.id.value >= filter.before_id)) continue;
        if (static_cast<int>(page.jobs.size()) == filter.limit) {
            page.next_before_id = page.jobs.back().id.value;
            break;
        }
        page.jobs.push_back(job);
    }
    return page;
}

Result<std::vector<Attempt>> FakeDaemon::attempts(JobId) {
    return std::vector<Attempt>();
}

Result<std::vector<db::StoredArtifact>> FakeDaemon::artifacts(JobId id) {
    return artifacts_by_id[id.value];
}

Result<std::vector<db::StoredEvent>> FakeDaemon::events(JobId job, EventSeq after, int limit) {
    std::vector<db::StoredEvent> out;
    for (const db::StoredEvent& event : stored_events) {
        if (event.job == job && event.seq > after && static_cast<int>(out.size()) < limit)
            out.push_back(event);
    }
    return out;
}

Result<std::optional<std::vector<db::StoredEvent>>> FakeDaemon::events_after(EventSeq after, int limit) {
    if (after.value < oldest_event.value - 1) return std::optional<std::vector<db::StoredEvent>>();
    std::vector<db::StoredEvent> out;
    for (const db::StoredEvent& event : stored_events) {
        if (event.seq > after && static_cast<int>(out.size()) < limit) out.push_back(event);
    }
    return std::optional(std::move(out));
}

Result<EventSeq> FakeDaemon::last_event() {
    return stored_events.empty() ? EventSeq{} : stored_events.back().seq;
}

Result<std::vector<db::WaitSpan>> FakeDaemon::wait_spans(JobId) {
    return std::vector<db::WaitSpan>();
}

Result<std::vector<Schedule>> FakeDaemon::schedules() {
    std::vector<Schedule> out;
    for (const auto& [name, schedule] : schedules_by_name) out.push_back(schedule);
    return out;
}

Result<std::optional<Schedule>> FakeDaemon::schedule(const std::string& name) {
    const auto found = schedules_by_name.find(name);
    if (found == schedules_by_name.end()) return std::optional<Schedule>();
    return std::optional<Schedule>(found->second);
}

Result<db::FinishedIds> FakeDaemon::finished_after(JobId after, int limit) {
    db::FinishedIds found;
    for (const auto& [id, job] : jobs_by_id) {
        if (id <= after.value || !is_terminal(job.state)) continue;
        if (static_cast<int>(found.ids.size()) == limit) {
            found.next_after = found.ids.back();
            break;
        }
        found.ids.push_back(JobId{id});
    }
    return found;
}

Result<std::optional<db::JobHistory>> FakeDaemon::job_history(JobId id) {
    if (damaged_jobs.count(id.value) != 0) {
        return Error{ErrorCode::kCorrupt, "database_damaged", "The page is damaged.", "", ""};
    }
    const auto found = jobs_by_id.find(id.value);
    if (found == jobs_by_id.end()) return std::optional<db::JobHistory>{};
    db::JobHistory history = histories_by_id[id.value];
    history.job = found->second;
    return std::optional<db::JobHistory>(std::move(history));
}

Result<std::vector<db::StoredFire>> FakeDaemon::fires_after(const std::string& schedule, UnixMs nominal,
                                                            int limit) {
    std::vector<db::StoredFire> found;
    for (const db::StoredFire& fire : stored_fires) {
        const bool is_after =
            std::pair(fire.schedule, fire.nominal.value) > std::pair(schedule, nominal.value);
        if (is_after && static_cast<int>(found.size()) < limit) found.push_back(fire);
    }
    return found;
}

Result<std::vector<std::string>> FakeDaemon::imported_origins() {
    std::set<std::string> origins;
    for (const db::ImportedLine& line : imported_lines) origins.insert(line.origin);
    return std::vector<std::string>(origins.begin(), origins.end());
}

Result<std::vector<db::ImportedLine>> FakeDaemon::imported_after(const db::ImportedLine& after, int limit) {
    std::vector<db::ImportedLine> found;
    for (const db::ImportedLine& line : imported_lines) {
        if (line.origin == after.origin && line.type == after.type &&
            std::tie(line.text, line.number) > std::tie(after.text, after.number) &&
            static_cast<int>(found.size()) < std::min(limit, 2)) {
            found.push_back(line);
        }
    }
    return found;
}

Result<std::vector<db::ImportedLine>> FakeDaemon::imported_jobs(const std::string& origin,
                                                                std::int64_t before, int limit) {
    std::vector<db::ImportedLine> found;
    for (auto line = imported_lines.rbegin(); line != imported_lines.rend(); ++line) {
        if (line->origin == origin && line->type == "job" && line->number < before &&
            static_cast<int>(found.size()) < limit) {
            found.push_back(*line);
        }
    }
    return found;
}

namespace {

/// Keeps the lines until they are finished.
class FakeIntake final : public api::HistoryIntake {
  public:
    explicit FakeIntake(FakeDaemon& daemon) : daemon_(daemon) {}
    ~FakeIntake() override {
        if (!is_finished_) daemon_.calls.emplace_back("import dropped");
    }
    FakeIntake(const FakeIntake&) = delete;
    FakeIntake& operator=(const FakeIntake&) = delete;

    void add(std::vector<db::ImportedLine> lines, Reply<void> reply) override {
        daemon_.imported_portions.push_back(lines.size());
        if (daemon_.import_trouble) return reply(*daemon_.import_trouble);
        for (db::ImportedLine& line : lines) lines_.push_back(std::move(line));
        reply({});
    }
    void finish(std::string chain, Reply<db::ImportCounts> reply) override {
        is_finished_ = true;
        daemon_.calls.push_back("import " + chain.substr(0, 8));
        db::ImportCounts counts;
        counts.added = static_cast<std::int64_t>(lines_.size());
        for (db::ImportedLine& line : lines_) daemon_.imported_lines.push_back(std::move(line));
        reply(counts);
    }

  private:
    FakeDaemon& daemon_;
    std::vector<db::ImportedLine> lines_;
    bool is_finished_ = false;
};

}  // namespace

void FakeDaemon::begin_history(std::string database, std::string,
                               Reply<std::shared_ptr<api::HistoryIntake>> reply) {
    calls.push_back("begin import of " + database);
    reply(std::shared_ptr<api::HistoryIntake>(std::make_shared<FakeIntake>(*this)));
}

Result<std::vector<db::StateCount>> FakeDaemon::counts() {
    std::vector<db::StateCount> out;
    for (const auto& [id, job] : jobs_by_id) out.push_back({job.state, job.spec.kind, 1});
    return out;
}

}  // namespace nightshift::tests
