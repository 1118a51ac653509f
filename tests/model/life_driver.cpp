#include "tests/model/life_driver.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>

#include "daemon/worker/attempt_record.h"
#include "db/store.h"
#include "tests/model/life_model.h"
#include "tests/support/scratch_folder.h"

namespace nightshift::tests {
namespace {

constexpr std::int64_t kStart = 1'790'000'000'000;
constexpr int kJobsMax = 14;
constexpr std::array kVerbs{"submit", "edit",  "hold",    "release", "move",   "cancel", "grant", "run",
                            "save",   "yield", "overrun", "exit",    "commit", "crash",  "clock", "key"};
/// Of a hundred commands; starts and ends are frequent so that nights get somewhere.
constexpr std::array kWeights{11, 4, 3, 5, 6, 4, 17, 9, 4, 6, 2, 16, 6, 2, 3, 2};

const db::EventText kTold{"job", "model", "tester", "{}"};

/// An empty database of the newest schema, made once: migrating for each night would take most of the time.
const std::string& empty_database() {
    static const ScratchFolder folder;
    static const std::string path = [] {
        std::string name = (folder / "empty.db").string();
        auto opened = db::Store::open(name, "model");
        if (!opened) throw std::runtime_error(opened.error().message);
        return name;
    }();
    return path;
}

class Night {
  public:
    explicit Night(bool defect) : defect_(defect) {
        std::filesystem::copy_file(empty_database(), path_);
        open();
        model_.now_ms = kStart;
        kept_ = model_;
    }

    std::string step(const Command& command) {
        const std::string verb = kVerbs.at(static_cast<std::size_t>(command.verb));
        if (verb == "commit") return commit();
        if (verb == "crash") return crash();
        if (verb == "clock") {
            constexpr std::array<std::int64_t, 6> kSteps{1000,  60'000,     3'600'000,
                                                         -1000, -3'600'000, 86'400'000};
            model_.now_ms += kSteps.at(static_cast<std::size_t>(command.detail % 6));
            return {};
        }
        if (!store_->in_transaction() && !store_->begin()) return "begin failed";
        if (!store_->savepoint()) return "savepoint failed";
        is_allowed_ = true;
        const Status done = apply(verb, command);
        if (!done) store_->rollback_to_savepoint();
        if (done && !store_->release_savepoint()) return "release failed";
        if (done.has_value() != is_allowed_) {
            return "the model says " + std::string(is_allowed_ ? "allowed" : "refused") + ", the store " +
                   (done ? "did it" : "refused: " + done.error().message);
        }
        return compare();
    }

    std::string finish() { return commit(); }

  private:
    UnixMs now() const { return UnixMs{model_.now_ms}; }

    void open() {
        auto opened = db::Store::open(path_, "model");
        if (!opened) throw std::runtime_error(opened.error().message);
        store_ = std::move(*opened);
    }

    std::string commit() {
        if (store_->in_transaction() && !store_->commit()) return "commit failed";
        kept_ = model_;
        kept_seq_ = seq_;
        const auto broken = store_->self_check();
        if (!broken) return broken.error().message;
        return broken->empty() ? compare() : "self check: " + broken->front();
    }

    /// What was not committed is gone, time is not.
    std::string crash() {
        const std::int64_t now_ms = model_.now_ms;
        store_.reset();
        open();
        model_ = kept_;
        model_.now_ms = now_ms;
        seq_ = kept_seq_;
        order_.clear();
        return compare();
    }

    Status apply(const std::string& verb, const Command& command) {
        if (verb == "submit") return submit(command);
        if (model_.jobs.empty()) return {};
        const int count = static_cast<int>(model_.jobs.size());
        const int id = command.job % count + 1;
        const JobId job{id};
        if (verb == "hold" || verb == "release") {
            is_allowed_ = model_.hold(id, verb == "hold");
            return store_->set_held(job, verb == "hold", now(), kTold);
        }
        if (verb == "edit") return edit(id, command);
        if (verb == "move") return move(id, command.other % (count + 1), command.detail % 2 == 0);
        if (verb == "cancel") return cancel(id);
        if (verb == "key") return key(id, command.detail % 4);
        if (verb == "grant") {
            is_allowed_ = model_.grant(id);
            const auto granted =
                store_->grant(job, "token " + std::to_string(++tokens_), "host", gibibytes(1), now(), kTold);
            if (!granted) return granted.error();
            return {};
        }
        return on_attempt(verb, id, command);
    }

    Status submit(const Command& command) {
        const int count = static_cast<int>(model_.jobs.size());
        if (count >= kJobsMax) return {};
        JobSpec spec;
        spec.kind = spec.name = "sleep";
        spec.job_class = command.job % 3 == 0 ? JobClass::kSynthesis : JobClass::kTraining;
        spec.vram = gibibytes(1);
        spec.retries = command.detail % 3;
        spec.hold = command.detail % 7 == 0;
        spec.checkpoint = command.detail % 5 == 0 ? CheckpointMode::kNone : CheckpointMode::kWorker;
        const int parent = count == 0 || command.other % 2 == 0 ? 0 : command.other % count + 1;
        const auto kind = static_cast<DependencyKind>(command.job % 3);
        if (parent != 0) spec.after.push_back({JobId{parent}, kind});
        const int id = model_.submit(spec.job_class, spec.retries, spec.hold,
                                     spec.checkpoint == CheckpointMode::kNone, parent, kind);
        const auto inserted = store_->insert_job(spec, "", {}, {}, 1000, now(), kTold);
        if (!inserted) return inserted.error();
        if (inserted->value != id) return Error{ErrorCode::kConflict, "id", "another id", "", ""};
        return {};
    }

    Status edit(int id, const Command& command) {
        const auto job = store_->job(JobId{id});
        if (!job) return job.error();
        JobSpec spec = (*job)->spec;
        spec.hold = (*job)->held;
        spec.retries = command.detail % 4;
        const bool is_stale = command.other % 4 == 0;
        is_allowed_ = !is_stale && model_.edit(id, spec.retries);
        return store_->update_spec(JobId{id}, spec, (*job)->version - (is_stale ? 1 : 0), now(), kTold);
    }

    Status move(int id, int other, bool before) {
        if (other == id) other = 0;
        is_allowed_ = model_.can_move(id, other);
        moved_ = is_allowed_ ? id : 0;
        beside_ = other;
        is_before_ = before;
        return store_->move_job(JobId{id}, JobId{other}, before, now(), kTold);
    }

    Status cancel(int id) {
        const JobState state = model_.jobs.at(id).state;
        is_allowed_ = model_.cancel(id);
        if (is_live(state)) {
            const AttemptId attempt{JobId{id}, model_.jobs.at(id).attempt};
            return store_->set_stopping(attempt, "cancelled", now(), now(), kTold);
        }
        const Outcome outcome{"cancelled", "by the model", {}, {}, false};
        const auto done = store_->finish_waiting(JobId{id}, JobState::kCancelled, outcome, now(), kTold);
        if (!done) return done.error();
        return {};
    }

    Status key(int id, int number) {
        const auto known = store_->idempotent("submit", std::to_string(number));
        if (!known) return known.error();
        const auto expected = model_.keys.find(number);
        const bool is_known = expected != model_.keys.end();
        const bool is_same = known->has_value() == is_known &&
                             (!is_known || (*known)->jobs == std::vector<JobId>{JobId{expected->second}});
        if (!is_same) return Error{ErrorCode::kConflict, "key", "a key is answered otherwise", "", ""};
        if (is_known) return {};
        model_.keys[number] = id;
        // Far enough ahead that no step of the clock reaches it.
        return store_->remember_idempotent("submit", std::to_string(number), {"hash", {JobId{id}}},
                                           now() + hours(100'000));
    }

    Status on_attempt(const std::string& verb, int id, const Command& command) {
        const AttemptId attempt{JobId{id}, model_.jobs.at(id).attempt};
        if (verb == "run") {
            is_allowed_ = model_.run(id);
            return store_->set_running(attempt, std::nullopt, EnforcementGrade::kNone, now(), kTold);
        }
        if (verb == "yield") {
            is_allowed_ = model_.yield(id);
            return store_->set_yielding(attempt, {}, "preempted", now() + seconds(60), now(), kTold);
        }
        if (verb == "overrun") {
            is_allowed_ = model_.overrun(id);
            return store_->set_stopping(attempt, "time_limit", now(), now(), kTold);
        }
        if (!is_live(model_.jobs.at(id).state)) return {};  // the daemon has no supervisor for it
        if (verb == "save") {
            model_.save(id);
            return store_->add_checkpoint(
                {JobId{id}, attempt.number, "checkpoints/" + std::to_string(++tokens_), 1, mebibytes(1),
                 std::string(64, 'c'), now()},
                now(), kTold);
        }
        return exit(attempt, static_cast<Exit>(command.detail % 8), command.other % 2 == 0);
    }

    Status exit(const AttemptId& attempt, Exit how, bool is_gone) {
        model_.exit(static_cast<int>(attempt.job.value), how);
        constexpr std::array kCodes{0, 75, 85, 1};
        daemon::AttemptFacts facts;
        facts.report.run_time = seconds(1);
        if (how <= Exit::kOther) facts.report.exit_code = kCodes.at(static_cast<std::size_t>(how));
        if (defect_ && how == Exit::kTryAgain) facts.report.exit_code = 1;
        if (how == Exit::kSignal) facts.report.signal = 9;
        if (how == Exit::kLost) facts.report.is_lost = true;
        if (how == Exit::kReboot) facts = daemon::reboot_facts();
        if (how == Exit::kSpawnError) facts.report.is_spawn_error = true;
        return daemon::store_end(*store_, attempt, facts, is_gone, now());
    }

    std::string compare() {
        if (const std::string events = check_events(); !events.empty()) return events;
        std::map<JobClass, std::vector<std::pair<std::int64_t, int>>> keys;
        for (const auto& [id, life] : model_.jobs) {
            const auto found = store_->job(JobId{id});
            if (!found || !*found) return "job " + std::to_string(id) + " is not there";
            const Job& job = **found;
            const std::string differs = difference(life, job);
            if (!differs.empty()) {
                return "job " + std::to_string(id) + ": " + differs +
                       " (store: " + std::string(to_string(job.state)) +
                       ", model: " + std::string(to_string(life.state)) + ")";
            }
            if (job.state == JobState::kWaiting) keys[life.job_class].emplace_back(job.order_key, id);
        }
        const auto beyond = store_->job(JobId{static_cast<std::int64_t>(model_.jobs.size()) + 1});
        if (!beyond || *beyond) return "there is a job that nobody submitted";
        for (auto& [job_class, list] : keys) {
            if (const std::string differs = check_order(job_class, list); !differs.empty()) return differs;
        }
        moved_ = 0;
        return {};
    }

    static std::string difference(const LifeModel::Life& life, const Job& job) {
        int open = 0;
        for (const auto& [parent, dep] : life.after) open += !dep.is_met;
        std::optional<std::int64_t> retry;
        if (job.retry_at) retry = job.retry_at->value;
        if (job.state != life.state) return "state";
        if (job.held != life.held) return "held";
        if (job.attempt != life.attempt) return "attempt";
        if (job.preemptions != life.preemptions) return "preemptions";
        if (job.retries_left != life.retries_left) return "retries_left";
        if (job.dependencies_open != open) return "dependencies_open";
        if (retry != life.retry_at_ms) return "retry_at";
        if (job.outcome.has_value() != is_terminal(life.state)) return "outcome present";
        if (job.outcome && job.outcome->code != life.outcome) return "outcome " + job.outcome->code;
        if (job.ended_at.has_value() != is_terminal(life.state)) return "ended_at";
        return {};
    }

    /// Only a move changes who goes before whom, and only for the job that moved.
    std::string check_order(JobClass job_class, std::vector<std::pair<std::int64_t, int>>& list) {
        std::sort(list.begin(), list.end());
        std::vector<int> order, before = order_[job_class], now_there;
        for (const auto& entry : list) order.push_back(entry.second);
        const auto is_in = [](const std::vector<int>& ids, int id) {
            return std::find(ids.begin(), ids.end(), id) != ids.end();
        };
        now_there = order;
        std::erase_if(now_there, [&](int id) { return id == moved_ || !is_in(before, id); });
        std::erase_if(before, [&](int id) { return id == moved_ || !is_in(order, id); });
        if (before != now_there) return "the order of jobs that nobody moved changed";
        if (const auto at = std::find(order.begin(), order.end(), moved_); at != order.end()) {
            const bool is_beside = beside_ == 0 ? (is_before_ ? at == order.begin() : at + 1 == order.end())
                                   : is_before_ ? at + 1 != order.end() && *(at + 1) == beside_
                                                : at != order.begin() && *(at - 1) == beside_;
            if (!is_beside) return "a moved job is not where it was put";
        }
        order_[job_class] = order;
        return {};
    }

    std::string check_events() {
        for (const db::StoredEvent& event : store_->take_new_events()) {
            if (event.seq.value != seq_ + 1)
                return "event " + std::to_string(event.seq.value) + " leaves a gap";
            seq_ = event.seq.value;
        }
        return {};
    }

    ScratchFolder folder_;
    std::string path_ = (folder_ / "nightshift.db").string();
    std::unique_ptr<db::Store> store_;
    LifeModel model_, kept_;
    std::map<JobClass, std::vector<int>> order_;
    std::int64_t seq_ = 0, kept_seq_ = 0;
    int tokens_ = 0, moved_ = 0, beside_ = 0;
    bool defect_, is_allowed_ = true, is_before_ = false;
};

}  // namespace

std::string play(const std::vector<Command>& commands, bool defect) {
    Night night(defect);
    for (std::size_t i = 0; i < commands.size(); ++i) {
        const std::string differs = night.step(commands[i]);
        if (!differs.empty()) return "after command " + std::to_string(i + 1) + ": " + differs;
    }
    return night.finish();
}

std::vector<Command> random_commands(std::uint64_t seed, int count) {
    std::mt19937_64 engine(seed);
    std::discrete_distribution<int> verb(kWeights.begin(), kWeights.end());
    std::uniform_int_distribution<int> number(0, 839);
    std::vector<Command> commands;
    for (int i = 0; i < count; ++i) {
        Command command{verb(engine), number(engine), number(engine), number(engine)};
        commands.push_back(command);
    }
    return commands;
}

std::vector<Command> shrink(std::vector<Command> commands, bool defect) {
    for (std::size_t size = commands.size() / 2; size > 0;) {
        bool is_smaller = false;
        for (std::size_t at = 0; at + size <= commands.size();) {
            std::vector<Command> fewer = commands;
            const auto from = fewer.begin() + static_cast<std::ptrdiff_t>(at);
            fewer.erase(from, from + static_cast<std::ptrdiff_t>(size));
            if (play(fewer, defect).empty()) {
                at += size;
            } else {
                commands = std::move(fewer);
                is_smaller = true;
            }
        }
        if (!is_smaller || size > 1) size = size == 1 ? 0 : size / 2;
    }
    return commands;
}

std::string text_of(const std::vector<Command>& commands) {
    std::string text;
    for (const Command& command : commands) {
        text += std::string(kVerbs.at(static_cast<std::size_t>(command.verb))) + "(" +
                std::to_string(command.job) + ", " + std::to_string(command.other) + ", " +
                std::to_string(command.detail) + ")\n";
    }
    return text;
}

}  // namespace nightshift::tests
