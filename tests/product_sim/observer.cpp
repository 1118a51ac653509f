#include "tests/product_sim/observer.h"

#include <algorithm>
#include <vector>

#include "db/statement.h"

namespace nightshift::tests {

namespace {

using db::Statement;

/// An end that the daemon could have stored for so long was forgotten.
constexpr Millis kSilenceMax = minutes(3);
/// A cancelled job that still lives after its grace, the kill, and a process that takes its time to die.
constexpr Millis kCancelMax = minutes(3);

/// What passes between an end, or a start, and the daemon's notice of it.
constexpr Millis kNoticeMax = seconds(2);

/// The wall clock may have jumped: the loop looks at it once a minute.
constexpr Millis kLateMax = minutes(2);

std::string name_of(const AttemptId& id) {
    return "attempt " + std::to_string(id.job.value) + "/" + std::to_string(id.number);
}

bool is_over(const std::string& state) {
    return is_terminal(parse_job_state(state).value());
}

std::string text_of(const std::optional<int>& number) {
    return number ? std::to_string(*number) : "none";
}

}  // namespace

void Observer::look(Life& life, bool is_well) {
    look_at_jobs(life);
    look_at_attempts(life);
    look_at_leases(life);
    if (!is_well) {
        silent_since_.clear();
        late_since_.clear();
        for (auto& [id, since] : cancelled_) since = agenda_.steady();
        return;
    }
    look_at_reasons(life);
    look_at_schedules(life);
}

void Observer::look_at_jobs(Life& life) {
    waiting_.clear();
    live_.clear();
    held_.clear();
    over_.clear();
    open_jobs_ = 0;
    std::size_t rows_seen = 0;
    Statement rows(life.connection(),
                   "SELECT id, state, version, attempt, name, schedule, schedule_nominal_ms, rerun_of, held "
                   "FROM job ORDER BY id");
    const Status read = rows.each([&] {
        const JobId id{rows.integer(0)};
        Seen now{rows.text(1), rows.text(4), static_cast<int>(rows.integer(2)),
                 static_cast<int>(rows.integer(3))};
        judge_job(id, now, JobId{rows.integer(7)});
        if (!rows.is_null(6)) {
            const std::pair key{rows.text(5) + " " + now.name, rows.integer(6)};
            const auto first = fires_.emplace(key, id).first->second;
            if (first != id) diary_.fail("schedule " + rows.text(5) + " fired twice for one nominal time");
        }
        if (now.state == "waiting") waiting_.insert(id);
        (is_over(now.state) ? over_ : live_).insert(id);
        if (now.state == "waiting") live_.erase(id);
        if (rows.flag(8)) held_.insert(id);
        open_jobs_ += is_over(now.state) ? 0 : 1;
        ++rows_seen;
        jobs_[id] = std::move(now);
    });
    if (!read) diary_.fail("the jobs cannot be read: " + read.error().message);
    if (rows_seen != jobs_.size()) diary_.fail("a job that was stored is gone");
}

void Observer::judge_job(JobId id, const Seen& now, JobId rerun_of) {
    const std::string name = "job " + std::to_string(id.value);
    const auto before = jobs_.find(id);
    if (before == jobs_.end()) {
        diary_.note(name + " is " + now.state);
    } else {
        const Seen& was = before->second;
        if (now.version < was.version || now.attempt < was.attempt)
            diary_.fail(name + " went back from version " + std::to_string(was.version));
        if (is_over(was.state) && now.state != was.state) diary_.fail(name + " left its end " + was.state);
        if (now.state != was.state) {
            diary_.note(name + " " + was.state + " -> " + now.state);
            if (!may_change(parse_job_state(was.state).value(), parse_job_state(now.state).value()) &&
                now.version == was.version + 1)
                diary_.fail(name + " may not go from " + was.state + " to " + now.state);
        }
    }
    const auto promised = promised_.find(id);
    if (promised != promised_.end() && promised->second != now.name && !rerun_of)
        diary_.fail(name + " is not the job that was acknowledged");
    const auto cancel = cancelled_.find(id);
    if (cancel == cancelled_.end() || now.state == "cancelled") return;
    if (is_over(now.state)) diary_.fail(name + " was cancelled and ended as " + now.state);
    if (now.state != "stopping") diary_.fail(name + " was cancelled and is " + now.state);
    if (agenda_.steady() - cancel->second > kCancelMax) diary_.fail(name + " survives its cancel");
}

void Observer::look_at_attempts(Life& life) {
    Statement rows(life.connection(),
                   "SELECT job_id, number, end_kind, exit_code, signal FROM attempt ORDER BY job_id, number");
    std::size_t ended = 0;
    const Status read = rows.each([&] {
        const AttemptId id{JobId{rows.integer(0)}, static_cast<int>(rows.integer(1))};
        if (rows.is_null(2)) {
            if (ends_.contains(id)) diary_.fail(name_of(id) + " lives again");
            return judge_silence(id);
        }
        ++ended;
        const End end{rows.text(2), rows.maybe_int(3), rows.maybe_int(4)};
        const auto before = ends_.find(id);
        if (before != ends_.end()) {
            if (before->second != end) diary_.fail(name_of(id) + " changed its end");
            return;
        }
        diary_.note(name_of(id) + " ended: " + end.kind + " exit " + text_of(end.exit_code) + " signal " +
                    text_of(end.signal));
        judge_end(id, end);
        judge_run_time(life, id, end.kind);
        ends_[id] = end;
        silent_since_.erase(id);
        preemptions_ += end.kind == "preempted" ? 1 : 0;
    });
    if (!read) diary_.fail("the attempts cannot be read: " + read.error().message);
    if (ended != ends_.size()) diary_.fail("an attempt that had ended is gone");
    life_looked_at_ = machine_.lives();
}

void Observer::judge_silence(const AttemptId& id) {
    const auto truth = machine_.truths().find(id);
    const bool is_silent = truth != machine_.truths().end() && truth->second.is_gone;
    if (!is_silent) {
        silent_since_.erase(id);
        return;
    }
    const Millis since = silent_since_.emplace(id, agenda_.steady()).first->second;
    if (agenda_.steady() - since > kSilenceMax)
        diary_.fail("the end of " + name_of(id) + " was never stored");
}

void Observer::judge_end(const AttemptId& id, const End& end) {
    const auto found = machine_.truths().find(id);
    if (found == machine_.truths().end()) {
        if (end.kind == "ok" || end.exit_code || end.signal)
            diary_.fail(name_of(id) + " never had a process and is stored as " + end.kind);
        return;
    }
    const Truth& truth = found->second;
    if (!truth.is_gone && !truth.result && !truth.said)
        diary_.fail(name_of(id) + " was ended while its process is at work");
    std::vector<End> possible;
    const auto offer = [&](std::optional<int> exit_code, std::optional<int> signal) {
        possible.push_back({end.kind, exit_code, signal});
    };
    if (truth.result) {
        offer(truth.result->exit_code, truth.result->signal);
    } else {
        if (truth.said) offer(truth.said->exit_code, truth.said->signal);  // no file: it had to be heard
        // Its parent hears the status; a daemon that came later does not.
        const bool may_be_heard = truth.born_in_life >= life_looked_at_ && !truth.is_power_lost;
        if (truth.is_gone && may_be_heard) offer(truth.status.exit_code, truth.status.signal);
        if (truth.is_gone && truth.born_in_life < machine_.lives()) offer({}, {});
    }
    if (std::find(possible.begin(), possible.end(), end) == possible.end())
        diary_.fail(name_of(id) + " has a stored end that is not its own");
    if (end.kind == "ok" && end.exit_code != 0) diary_.fail(name_of(id) + " is ok without exit 0");
}

/// Whatever the wall clock did: nothing counts that did not run.
void Observer::judge_run_time(Life& life, const AttemptId& id, const std::string& end_kind) {
    Statement row(life.connection(),
                  "SELECT json_extract(data, '$.run_time_ms') FROM event WHERE job_id = ?1 AND attempt = ?2 "
                  "AND json_extract(data, '$.end') IS NOT NULL",
                  id.job, id.number);
    const auto has_row = row.step();
    if (!has_row || !*has_row) diary_.fail("the end of " + name_of(id) + " has no event");
    const Millis told{row.integer(0)};
    Millis ran, ran_in_all;
    for (const auto& [other, truth] : machine_.truths()) {
        if (other.job != id.job || !truth.began_at) continue;
        const Millis one = (truth.is_gone ? truth.gone_at : agenda_.steady()) - *truth.began_at;
        ran_in_all = ran_in_all + one;
        if (other == id) ran = one;
    }
    if (told > ran + kNoticeMax) {
        diary_.fail(name_of(id) + " ran " + std::to_string(ran.value) + " ms and is charged " +
                    std::to_string(told.value));
    }
    const auto truth = machine_.truths().find(id);
    const bool has_said = truth != machine_.truths().end() && truth->second.result;
    if (has_said && truth->second.result->ran.value > 0 && truth->second.result->ran != told)
        diary_.fail(name_of(id) + " is charged what its result does not say");
    if (end_kind != "time_limit") return;
    Statement limit(life.connection(), "SELECT time_limit_ms FROM job WHERE id = ?1", id.job);
    const auto has_limit = limit.step();
    if (!has_limit || !*has_limit || limit.is_null(0)) diary_.fail(name_of(id) + " has no time limit");
    if (ran_in_all + kNoticeMax < Millis{limit.integer(0)})
        diary_.fail(name_of(id) + " was ended for time that it did not run");
}

void Observer::look_at_leases(Life& life) {
    Statement rows(life.connection(), "SELECT device, SUM(budget) FROM lease GROUP BY device");
    const Status read = rows.each([&] {
        const auto total = totals_.find(rows.text(0));
        if (total != totals_.end() && rows.bytes(1) > total->second)
            diary_.fail("more memory is granted than there is on " + total->first);
    });
    if (!read) diary_.fail("the leases cannot be read: " + read.error().message);
    for (const auto& [device, total] : totals_) {
        if (machine_.granted_and_held(device) > total)
            diary_.fail("memory of " + device + " was granted that is not free yet");
    }
}

void Observer::look_at_reasons(Life& life) {
    const auto planned = life.engine().dispatcher().planned();
    if (!planned) return;
    Statement rows(life.connection(),
                   "SELECT id FROM job WHERE state = 'waiting' AND NOT EXISTS (SELECT 1 FROM wait_span WHERE "
                   "job_id = job.id AND to_ms IS NULL)");
    const Status read = rows.each([&] {
        const JobId id{rows.integer(0)};
        const auto job = life.store().job(id);
        if (!job || !*job) diary_.fail("job " + rows.text(0) + " cannot be read");
        // A pass notes the reasons of those that it looks at. The others have too many ahead of them.
        if (!planned->rest().gate_of(**job)) diary_.fail("job " + rows.text(0) + " waits without a reason");
    });
    if (!read) diary_.fail("the reasons cannot be read: " + read.error().message);
}

void Observer::look_at_schedules(Life& life) {
    std::set<std::string> late;
    Statement rows(life.connection(), "SELECT name FROM schedule WHERE enabled = 1 AND next_fire_ms < ?1",
                   agenda_.now());
    const Status read = rows.each([&] { late.insert(rows.text(0)); });
    if (!read) diary_.fail("the schedules cannot be read: " + read.error().message);
    std::erase_if(late_since_, [&](const auto& entry) { return !late.contains(entry.first); });
    for (const std::string& name : late) {
        const Millis since = late_since_.emplace(name, agenda_.steady()).first->second;
        if (agenda_.steady() - since > kLateMax)
            diary_.fail("schedule " + name + " is due and does not fire");
    }
}

void Observer::check_rows(Life& life, const char* sql, const std::string& what) {
    Statement rows(life.connection(), sql);
    const auto has_row = rows.step();
    if (!has_row) diary_.fail("a check cannot be made: " + has_row.error().message);
    if (*has_row) diary_.fail("job " + rows.text(0) + " " + what);
}

void Observer::self_check(Life& life) {
    const auto broken = life.store().self_check();
    if (!broken) diary_.fail("the self-check cannot be made: " + broken.error().message);
    if (!broken->empty()) diary_.fail("self-check: " + broken->front());
}

void Observer::look_after_start(Life& life) {
    self_check(life);
    for (auto& [id, since] : cancelled_) since = agenda_.steady();
    silent_since_.clear();
    late_since_.clear();
    look_at_jobs(life);
    look_at_attempts(life);
    look_at_leases(life);
    for (const auto& [id, name] : promised_) {
        if (!jobs_.contains(id))
            diary_.fail("job " + std::to_string(id.value) + " was acknowledged and is gone");
    }
}

void Observer::look_at_end(Life& life) {
    self_check(life);
    check_rows(life, "SELECT job_id FROM attempt WHERE end_kind IS NULL", "has an attempt that never ended");
    check_rows(life, "SELECT job_id FROM lease", "still holds memory");
    check_rows(life,
               "SELECT job_id FROM event WHERE topic = 'job' AND attempt > 0 AND json_extract(data, '$.end') "
               "IS NOT NULL GROUP BY job_id, attempt HAVING COUNT(*) > 1",
               "has an attempt whose end was recorded twice");
    check_rows(life,
               "SELECT name FROM job WHERE rerun_of = 0 AND schedule = '' GROUP BY name HAVING COUNT(*) > 1",
               "was made twice by one request");
    for (const auto& [id, truth] : machine_.truths()) {
        if (!ends_.contains(id)) diary_.fail(name_of(id) + " ran and is not recorded");
    }
}

void Observer::note_start(Life& life, const Worker& worker, const wire::Start& start) {
    const AttemptId& id = worker.attempt();
    Statement row(life.connection(), "SELECT state, attempt, rerun_of FROM job WHERE id = ?1", id.job);
    const auto has_row = row.step();
    if (!has_row || !*has_row) diary_.fail(name_of(id) + " is started and not stored");
    const std::string state = row.text(0);
    if (row.integer(1) != id.number) diary_.fail(name_of(id) + " is started and is not the newest");
    if (is_over(state) || state == "waiting")
        diary_.fail(name_of(id) + " is started while its job is " + state);
    if (start.resume_folder.empty()) return;
    bool is_saved = false;
    for (const auto& [other, truth] : machine_.truths()) {
        const bool is_kin = other.job == id.job || other.job.value == row.integer(2);
        for (const std::string& folder : truth.checkpoints) {
            is_saved = is_saved || (is_kin && start.resume_folder.ends_with("/" + folder));
        }
    }
    if (!is_saved) diary_.fail(name_of(id) + " resumes from what was never saved: " + start.resume_folder);
}

void Observer::note_asked(Life& life, const AttemptId& id, bool is_cancel) {
    Statement row(
        life.connection(),
        "SELECT stop_reason, end_kind, state FROM attempt JOIN job ON id = job_id WHERE job_id = ?1 "
        "AND number = ?2",
        id.job, id.number);
    const auto has_row = row.step();
    if (!has_row || !*has_row) diary_.fail(name_of(id) + " is asked to stop and not stored");
    if (!row.is_null(1)) return;
    const bool is_right = row.text(2) == "stopping" || (!is_cancel && row.text(2) == "yielding");
    if (!is_right) diary_.fail(name_of(id) + " was told to stop while it is stored as " + row.text(2));
}

std::string Observer::open_text() const {
    std::string text;
    for (const auto& [id, seen] : jobs_) {
        if (!is_over(seen.state)) text += " " + std::to_string(id.value) + " " + seen.state;
    }
    return text;
}

}  // namespace nightshift::tests
