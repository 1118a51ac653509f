#include "tests/model/life_model.h"

#include <algorithm>

namespace nightshift::tests {
namespace {

bool is_over(JobState state) {
    return state >= JobState::kSucceeded;
}

bool has_process(JobState state) {
    return state != JobState::kWaiting && !is_over(state);
}

bool satisfies(DependencyKind kind, JobState end) {
    if (kind == DependencyKind::kAny) return true;
    if (kind == DependencyKind::kSuccess) return end == JobState::kSucceeded;
    return end == JobState::kFailed || end == JobState::kExpired;
}

}  // namespace

int LifeModel::submit(JobClass job_class, int retries, bool hold, bool starts_over, int parent,
                      DependencyKind kind) {
    const int id = static_cast<int>(jobs.size()) + 1;
    Life life;
    life.job_class = job_class;
    life.retries = life.retries_left = retries;
    life.held = hold;
    life.starts_over = starts_over;
    bool is_hopeless = false;
    if (parent != 0) {
        const JobState state = jobs.at(parent).state;
        const bool is_met = is_over(state) && satisfies(kind, state);
        is_hopeless = is_over(state) && !is_met;
        life.after[parent] = {kind, is_met};
    }
    jobs[id] = life;
    if (is_hopeless) finish(id, JobState::kSkipped, "dependency");
    return id;
}

bool LifeModel::edit(int id, int retries) {
    Life& life = jobs.at(id);
    if (life.state != JobState::kWaiting) return true;  // only its name changes
    life.retries_left = std::max(0, life.retries_left + retries - life.retries);
    life.retries = retries;
    return true;
}

bool LifeModel::hold(int id, bool held) {
    Life& life = jobs.at(id);
    if (life.state != JobState::kWaiting) return false;
    life.held = held;
    return true;
}

bool LifeModel::cancel(int id) {
    Life& life = jobs.at(id);
    if (is_over(life.state)) return false;
    if (life.state == JobState::kWaiting) {
        finish(id, JobState::kCancelled, "cancelled");
    } else {
        life.state = JobState::kStopping;
        life.stop_reason = "cancelled";
    }
    return true;
}

bool LifeModel::grant(int id) {
    Life& life = jobs.at(id);
    const bool is_free =
        std::all_of(life.after.begin(), life.after.end(), [](const auto& dep) { return dep.second.is_met; });
    if (life.state != JobState::kWaiting || life.held || !is_free) return false;
    life.state = JobState::kStarting;
    ++life.attempt;
    life.stop_reason.clear();
    life.has_saved = false;
    life.retry_at_ms.reset();
    return true;
}

bool LifeModel::run(int id) {
    Life& life = jobs.at(id);
    if (!has_process(life.state)) return false;
    if (life.state == JobState::kStarting) life.state = JobState::kRunning;
    return true;
}

bool LifeModel::save(int id) {
    Life& life = jobs.at(id);
    if (!has_process(life.state)) return false;
    life.has_saved = true;
    return true;
}

bool LifeModel::yield(int id) {
    Life& life = jobs.at(id);
    if (life.state != JobState::kStarting && life.state != JobState::kRunning) return false;
    life.state = JobState::kYielding;
    life.stop_reason = "preempted";
    return true;
}

bool LifeModel::overrun(int id) {
    Life& life = jobs.at(id);
    if (!has_process(life.state)) return false;
    life.state = JobState::kStopping;
    if (life.stop_reason != "cancelled") life.stop_reason = "time_limit";
    return true;
}

bool LifeModel::exit(int id, Exit how) {
    Life& life = jobs.at(id);
    if (!has_process(life.state)) return false;
    life.retry_at_ms.reset();
    const bool may_go_on = (how == Exit::kYielded && life.has_saved) || life.starts_over ||
                           how == Exit::kSignal || how == Exit::kLost;
    if (life.stop_reason == "cancelled") {
        finish(id, JobState::kCancelled, "cancelled");
    } else if (how == Exit::kZero) {
        finish(id, JobState::kSucceeded, "ok");
    } else if (how == Exit::kReboot) {
        life.state = JobState::kWaiting;
    } else if (life.stop_reason == "time_limit") {
        finish(id, JobState::kFailed, "time_limit");
    } else if (how == Exit::kSpawnError) {
        try_again_or_fail(id, "spawn_error");
    } else if (life.stop_reason == "preempted" && may_go_on) {
        life.state = JobState::kWaiting;
        ++life.preemptions;
    } else if (how == Exit::kLost) {
        try_again_or_fail(id, "lost");
    } else if (how == Exit::kTryAgain) {
        try_again_or_fail(id, "try_again");
    } else {
        try_again_or_fail(id, how == Exit::kSignal ? "signal" : "exit_code");
    }
    return true;
}

bool LifeModel::can_move(int id, int other) const {
    const Life& life = jobs.at(id);
    if (life.state != JobState::kWaiting) return false;
    if (other == 0) return true;
    return jobs.at(other).state == JobState::kWaiting && jobs.at(other).job_class == life.job_class;
}

void LifeModel::try_again_or_fail(int id, const std::string& code) {
    Life& life = jobs.at(id);
    if (life.retries_left == 0) return finish(id, JobState::kFailed, code);
    const int number = life.retries - life.retries_left + 1;
    --life.retries_left;
    life.state = JobState::kWaiting;
    life.retry_at_ms = now_ms + std::min<std::int64_t>(900'000, std::int64_t{10'000} << (number - 1));
}

void LifeModel::finish(int id, JobState state, const std::string& code) {
    jobs.at(id).state = state;
    jobs.at(id).outcome = code;
    for (auto& [child, life] : jobs) {
        const auto dep = life.after.find(id);
        if (dep == life.after.end() || dep->second.is_met) continue;
        if (satisfies(dep->second.kind, state)) {
            dep->second.is_met = true;
        } else if (life.state == JobState::kWaiting) {
            finish(child, JobState::kSkipped, "dependency");
        }
    }
}

}  // namespace nightshift::tests
