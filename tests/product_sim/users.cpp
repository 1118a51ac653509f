#include "tests/product_sim/users.h"

#include <algorithm>
#include <iterator>

#include "api/policy_codec.h"

namespace nightshift::tests {

namespace {

constexpr const char* kActor = "operator";

std::string text_of(JobId id) {
    return "job " + std::to_string(id.value);
}

}  // namespace

Users::Users(Agenda& agenda, Dice& dice, Diary& diary, Observer& observer, const TimeZones& zones,
             Bytes vram_max)
    : agenda_(agenda), dice_(dice), diary_(diary), observer_(observer), zones_(zones), vram_max_(vram_max) {}

std::function<void(Result<void>)> Users::answered(const std::string& what) {
    return [this, what](const Result<void>& reply) {
        ++(reply ? acknowledged_ : refused_);
        diary_.note(what + (reply ? " done" : " refused: " + reply.error().reason));
    };
}

api::IdempotencyKey Users::key_of(const std::string& key) const {
    if (key.empty()) return {};
    return {"POST /api/v1/jobs", key, "hash of " + key};
}

JobId Users::one_of(const std::set<JobId>& ids) {
    if (ids.empty()) return {};
    return *std::next(ids.begin(), dice_.between(0, static_cast<int>(ids.size()) - 1));
}

void Users::lose_answers() {
    to_repeat_.insert(to_repeat_.end(), unanswered_.begin(), unanswered_.end());
    unanswered_.clear();
}

void Users::act(Life& life) {
    if (!to_repeat_.empty()) {
        Submit again = std::move(to_repeat_.back());
        to_repeat_.pop_back();
        return send(life, std::move(again));
    }
    const int roll = dice_.between(0, 39);
    if (roll < 3) return act_on(life, one_of(observer_.live()), api::JobAction::kCancel);
    if (roll < 5) return act_on(life, one_of(observer_.waiting()), api::JobAction::kCancel);
    if (roll < 7) return act_on(life, one_of(observer_.waiting()), api::JobAction::kHold);
    if (roll < 9) return act_on(life, one_of(observer_.held()), api::JobAction::kRelease);
    if (roll < 11) return act_on(life, one_of(observer_.live()), api::JobAction::kPreempt);
    if (roll < 12) return act_on(life, one_of(observer_.ended()), api::JobAction::kCancel);
    if (roll < 14) return change_place(life);
    if (roll < 16) return edit(life);
    if (roll < 18) return retry(life);
    if (roll < 20) return change_policy(life);
    if (roll < 21) return pause(life, dice_.one_in(2));
    if (roll < 22) return put_schedule(life);
    if (roll < 23) return change_schedule(life);
    const int burst = dice_.one_in(10) ? dice_.between(3, 7) : 1;
    for (int i = 0; i < burst; ++i) submit(life);
}

JobSpec Users::random_spec(Life& life) {
    static constexpr std::array kModes{CheckpointMode::kWorker, CheckpointMode::kSignal,
                                       CheckpointMode::kNone};
    JobSpec spec;
    spec.name = "일 " + std::to_string(++names_);
    spec.kind = "work";
    spec.job_class = kJobClasses[static_cast<std::size_t>(dice_.between(0, 3))];
    const bool is_inference = spec.job_class == JobClass::kInference;
    const int work_ms = dice_.between(1000, is_inference ? 60'000 : 500'000);
    spec.params_json = "{\"work_ms\": " + std::to_string(work_ms) + "}";
    const int most = static_cast<int>(vram_max_.value / mebibytes(512).value);
    if (!dice_.one_in(6)) {
        spec.vram =
            Bytes{mebibytes(512).value * dice_.between(1, std::max(1, is_inference ? most / 3 : most))};
    }
    spec.cpu = dice_.between(0, 2);
    spec.ram = gibibytes(dice_.between(0, 8));
    spec.priority = dice_.one_in(4) ? dice_.between(-10, 10) : 0;
    spec.retries = dice_.between(0, 2);
    spec.checkpoint = kModes[static_cast<std::size_t>(dice_.between(0, 2))];
    spec.preemptible = !is_inference && !dice_.one_in(4);
    spec.hold = dice_.one_in(20);
    if (dice_.one_in(5)) spec.time_limit = seconds(dice_.between(10, 900));
    if (dice_.one_in(10)) spec.not_before = agenda_.now() + seconds(dice_.between(1, 1200));
    if (dice_.one_in(12)) spec.start_deadline = agenda_.now() + seconds(dice_.between(1, 1800));
    if (dice_.one_in(3)) spec.estimate = Millis{work_ms * std::int64_t{dice_.between(50, 150)} / 100};
    if (dice_.one_in(4)) {
        const bool is_open = dice_.one_in(2);
        const JobId parent = one_of(is_open && !observer_.waiting().empty() ? observer_.waiting()
                                    : dice_.one_in(3)                       ? observer_.ended()
                                                                            : observer_.live());
        static constexpr std::array kKinds{DependencyKind::kSuccess, DependencyKind::kAny,
                                           DependencyKind::kFailure};
        if (parent) spec.after = {{parent, kKinds[static_cast<std::size_t>(dice_.between(0, 2))]}};
    }
    static_cast<void>(life);
    return spec;
}

void Users::submit(Life& life) {
    Submit submit{random_spec(life), {}};
    if (dice_.one_in(3)) submit.key = "key " + std::to_string(names_);
    send(life, std::move(submit));
}

void Users::send(Life& life, Submit submit) {
    api::SubmitRequest request;
    request.spec = submit.spec;
    request.actor = kActor;
    request.key = key_of(submit.key);
    if (!submit.key.empty()) unanswered_.push_back(submit);
    life.engine().commands().submit(
        std::move(request),
        [this, &life, submit](const Result<api::SubmitReply>& reply) { on_submitted(life, submit, reply); });
}

void Users::on_submitted(Life& life, const Submit& submit, const Result<api::SubmitReply>& reply) {
    std::erase_if(unanswered_, [&](const Submit& other) { return other.key == submit.key; });
    ++(reply ? acknowledged_ : refused_);
    if (!reply) {
        diary_.note("submit of " + submit.spec.name + " refused: " + reply.error().reason);
        return;
    }
    diary_.note("submit of " + submit.spec.name + " is " + text_of(reply->id) +
                (reply->is_replayed ? " again" : ""));
    const auto stored = life.store().job(reply->id);
    if (!stored || !*stored) diary_.fail(text_of(reply->id) + " was acknowledged and is not stored");
    observer_.promise_job(reply->id, submit.spec.name);
}

void Users::act_on(Life& life, JobId id, api::JobAction action) {
    if (!id) return;
    static constexpr std::array kNames{"cancel ", "hold ", "release ", "preempt "};
    const std::string what = kNames[static_cast<std::size_t>(action)] + text_of(id);
    life.engine().commands().act(id, action, kActor,
                                 [this, what, id, action, count = answered(what)](const Result<void>& reply) {
                                     if (reply && action == api::JobAction::kCancel)
                                         observer_.promise_cancel(id);
                                     count(reply);
                                 });
}

void Users::cancel(Life& life, JobId id) {
    if (!observer_.is_cancel_promised(id)) act_on(life, id, api::JobAction::kCancel);
}

void Users::cancel_one(Life& life) {
    act_on(life, one_of(observer_.live()), api::JobAction::kCancel);
}

void Users::change_place(Life& life) {
    const JobId id = one_of(observer_.waiting());
    if (!id) return;
    api::MoveRequest request;
    request.place = static_cast<api::MoveRequest::Place>(dice_.between(0, 3));
    request.other = one_of(observer_.waiting());
    request.actor = kActor;
    life.engine().commands().move(id, request, answered("move " + text_of(id)));
}

void Users::edit(Life& life) {
    const JobId id = one_of(observer_.waiting());
    if (!id) return;
    const auto job = life.store().job(id);
    if (!job || !*job) return;
    api::JobPatch patch;
    patch.spec = (*job)->spec;
    patch.spec->priority = dice_.between(-20, 20);
    if (dice_.one_in(2)) patch.spec->vram = Bytes{patch.spec->vram.value / 2};
    if (dice_.one_in(3)) patch.spec->time_limit = seconds(dice_.between(30, 900));
    if (dice_.one_in(3)) patch.spec->after.clear();
    patch.if_match_version = (*job)->version - (dice_.one_in(8) ? 1 : 0);
    life.engine().commands().patch(id, std::move(patch), kActor, answered("edit " + text_of(id)));
}

void Users::retry(Life& life) {
    const JobId id = one_of(observer_.ended());
    if (!id) return;
    life.engine().commands().retry(
        id, dice_.one_in(2), kActor, {}, [this, id](const Result<api::Created>& made) {
            ++(made ? acknowledged_ : refused_);
            diary_.note("retry of " + text_of(id) +
                        (made ? " is " + text_of(made->jobs.at(0)) : " refused: " + made.error().reason));
            if (made) observer_.promise_job(made->jobs.at(0), "");
        });
}

void Users::change_policy(Life& life) {
    Policy policy;
    policy.safety = mebibytes(dice_.between(1, 4) * 256);
    policy.limits.running = dice_.between(1, 8);
    policy.preemption.grace = seconds(dice_.between(2, 40));
    policy.preemption.min_run = seconds(dice_.between(0, 120));
    policy.floor_percent = dice_.between(0, 2) * 10;
    if (dice_.one_in(2)) policy.of(JobClass::kInference).headroom = {{"", gibibytes(dice_.between(0, 3))}};
    if (dice_.one_in(3)) policy.of(JobClass::kSynthesis).only_when_idle = {JobClass::kTraining};
    if (dice_.one_in(3)) {
        Window window;
        window.name = "night";
        window.timezone = "Europe/Berlin";
        const int from = dice_.between(0, 23) * 60;
        window.rules = {{0x7f, from, (from + dice_.between(1, 20) * 60) % 1440 + 1}};
        policy.windows = {window};
        policy.of(JobClass::kTraining).window = "night";
        policy.of(JobClass::kTraining).at_window_end = static_cast<WindowEnd>(dice_.between(0, 2));
    }
    const std::string text = api::policy_to_json(policy);
    life.engine().commands().put_policy(policy, text, kActor, answered("policy"));
}

void Users::pause(Life& life, bool is_paused) {
    api::PauseRequest request;
    request.paused = is_paused;
    request.reason = "시험";
    request.actor = kActor;
    if (is_paused && dice_.one_in(2)) request.until = agenda_.now() + seconds(dice_.between(5, 600));
    life.engine().commands().pause(std::move(request), answered(is_paused ? "pause" : "resume"));
}

void Users::put_schedule(Life& life) {
    static constexpr std::array kCrons{"* * * * *", "*/5 * * * *", "*/20 * * * *", "30 2 * * *"};
    Schedule schedule;
    schedule.name = "plan-" + std::to_string(++schedules_);
    schedule.cron_text = kCrons[static_cast<std::size_t>(dice_.between(0, 3))];
    schedule.cron = parse_cron(schedule.cron_text).value();
    schedule.timezone = dice_.one_in(2) ? "Europe/Berlin" : "Asia/Seoul";
    schedule.missed = static_cast<MissedPolicy>(dice_.between(0, 2));
    schedule.overlap = static_cast<OverlapPolicy>(dice_.between(0, 2));
    const std::string params =
        R"("params": {"work_ms": )" + std::to_string(dice_.between(10'000, 400'000)) + "}";
    schedule.jobs_json = R"([{"kind": "work", "name": "first", "vram": "1GiB", )" + params + "}";
    if (dice_.one_in(2)) {
        schedule.jobs_json += R"(, {"kind": "work", "name": "second", "after": ["job:#0"], )" + params + "}";
    }
    schedule.jobs_json += "]";
    const auto next = next_fire(schedule.cron, schedule.timezone, zones_, agenda_.now());
    if (next) schedule.next_fire_at = next->at;
    const std::string what = "schedule " + schedule.name;
    life.engine().commands().put_schedule(std::move(schedule), true, kActor, {},
                                          [count = answered(what)](const Result<api::Created>& made) {
                                              count(made ? Result<void>{} : Result<void>(made.error()));
                                          });
}

void Users::change_schedule(Life& life) {
    if (schedules_ == 0) return;
    const std::string name = "plan-" + std::to_string(dice_.between(1, schedules_));
    auto& commands = life.engine().commands();
    switch (dice_.between(0, 3)) {
        case 0:
            return commands.delete_schedule(name, kActor, answered("delete " + name));
        case 1:
            return commands.run_schedule(name, kActor, {},
                                         [count = answered("run " + name)](const Result<api::Created>& made) {
                                             count(made ? Result<void>{} : Result<void>(made.error()));
                                         });
        default:
            return commands.enable_schedule(name, dice_.one_in(2), kActor, answered("enable " + name));
    }
}

void Users::calm_down(Life& life) {
    pause(life, false);
    Policy policy;
    policy.safety = mebibytes(256);
    life.engine().commands().put_policy(policy, api::policy_to_json(policy), kActor, answered("policy"));
    for (int i = 1; i <= schedules_; ++i) {
        const std::string name = "plan-" + std::to_string(i);
        life.engine().commands().delete_schedule(name, kActor, answered("delete " + name));
    }
    for (const JobId id : observer_.held()) act_on(life, id, api::JobAction::kRelease);
}

}  // namespace nightshift::tests
