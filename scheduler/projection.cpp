#include "scheduler/projection.h"

#include <algorithm>
#include <map>

#include "scheduler/defect.h"
#include "scheduler/gates.h"
#include "scheduler/order.h"
#include "scheduler/planner.h"

namespace nightshift {
namespace {

enum class Phase { kToCome, kWaiting, kRunning, kLeaving, kOver };

struct Entry {
    const ProjectedJob* input = nullptr;
    Job job;
    Phase phase = Phase::kToCome;
    Millis work;  ///< left when it starts next
    UnixMs runs_since, leaves_at;
    std::optional<UnixMs> due_since;  ///< a decision about it that has not been acted on yet
    std::size_t retries_done = 0;
    LiveJob live;
    std::vector<UnixMs> preempted_at;
    ProjectedRun run;
    std::vector<std::size_t> children;
};

/// The state of a projection between two passes.
class World {
  public:
    World(const ProjectionInput& input, const TimeZones& zones)
        : input_(input), zones_(zones), snapshot_(input.world), now_(input.from) {
        snapshot_.live.clear();
        snapshot_.reclaiming.clear();
        entries_.reserve(input.jobs.size());
        for (const ProjectedJob& job : input.jobs) add(job);
        link_dependencies();
    }

    Projection live_through() {
        Projection projection;
        while (now_ <= input_.until && projection.passes < kProjectionPassesMax) {
            if (input_.is_unwanted && input_.is_unwanted()) break;
            change_world();
            move_jobs();
            fill_snapshot();
            const Plan plan = nightshift::plan(snapshot_, zones_, now_, Words::kNone);
            ++projection.passes;
            apply(plan, projection);
            if (is_over()) break;
            now_ = next_instant(plan);
        }
        projection.is_cut_short = now_ <= input_.until && !is_over();
        for (Entry& entry : entries_) {
            close_books(entry);
            projection.runs.push_back(entry.run);
        }
        return projection;
    }

  private:
    void add(const ProjectedJob& job) {
        Entry entry;
        entry.input = &job;
        entry.job = job.job;
        entry.job.state = JobState::kWaiting;
        entry.job.dependencies_open = 0;
        entry.work = std::max(job.work, Millis{1});  // nothing ends in the instant of its start
        entry.run.job = job.job.id;
        index_[job.job.id] = entries_.size();
        if (job.live) adopt(entry, *job.live);
        entries_.push_back(std::move(entry));
    }

    /// What runs already keeps its attempt: the planner must not take it for a job that just began.
    void adopt(Entry& entry, const LiveJob& live) {
        entry.live = live;
        entry.preempted_at = live.preempted_at;
        entry.job.state = live.job.state;
        entry.runs_since = std::max(now_, live.attempt.running_at.value_or(now_));
        entry.leaves_at = now_ + leave_of(entry);
        entry.run.first_start = live.job.started_at.value_or(live.attempt.granted_at);
        const bool is_leaving =
            live.job.state == JobState::kYielding || live.job.state == JobState::kStopping;
        entry.phase = is_leaving ? Phase::kLeaving : Phase::kRunning;
    }

    /// A dependency on a job that is not part of the projection counts as met.
    void link_dependencies() {
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            for (const Dependency& dependency : entries_[i].job.spec.after) {
                const auto parent = index_.find(dependency.on);
                if (parent == index_.end()) continue;
                entries_[parent->second].children.push_back(i);
                ++entries_[i].job.dependencies_open;
            }
        }
    }

    void put_on_device(Entry& entry, const std::string& device, Bytes budget) {
        stop_ageing(entry.job);
        entry.phase = Phase::kRunning;
        entry.job.state = JobState::kStarting;
        entry.live = LiveJob{};
        entry.live.attempt.id = {entry.job.id, ++entry.job.attempt};
        entry.runs_since = now_ + facts_of(entry, entry.job.attempt).launch;
        entry.live.attempt.device = device;
        entry.live.attempt.granted_at = now_;
        come_up(entry);
        entry.live.lease.attempt = entry.live.attempt.id;
        entry.live.lease.device = device;
        entry.live.lease.budget = budget;
        entry.live.lease.used = budget;
        for (const UnixMs at : entry.preempted_at) {
            if (at > now_ - hours(24)) entry.live.preempted_at.push_back(at);
        }
    }

    /// Its process is there: from now on it can be asked to leave.
    void come_up(Entry& entry) const {
        if (entry.job.state != JobState::kStarting || entry.runs_since > now_) return;
        entry.job.state = JobState::kRunning;
        entry.live.attempt.running_at = entry.runs_since;
    }

    static AttemptFacts facts_of(const Entry& entry, int number) {
        const auto index = static_cast<std::size_t>(number - 1);
        const auto& known = entry.input->attempts;
        return number > 0 && index < known.size() ? known[index] : AttemptFacts{};
    }

    static Millis leave_of(const Entry& entry) {
        return facts_of(entry, entry.job.attempt).leave.value_or(kProjectedLeave);
    }

    void stop_ageing(Job& job) const {
        if (job.eligible_since) job.eligible_time = job.eligible_time + (now_ - *job.eligible_since);
        job.eligible_since.reset();
    }

    void change_world() {
        while (next_change_ < input_.changes.size() && input_.changes[next_change_].at <= now_) {
            const WorldChange& change = input_.changes[next_change_++];
            if (change.policy) snapshot_.policy = *change.policy;
            if (change.is_paused) snapshot_.is_paused = *change.is_paused;
            for (const auto& [uuid, foreign] : change.foreign) {
                for (DeviceState& state : snapshot_.devices) {
                    if (state.device.uuid == uuid) state.foreign = foreign;
                }
            }
        }
    }

    void move_jobs() {
        for (Entry& entry : entries_) {
            if (entry.phase == Phase::kOver) continue;
            if (entry.phase == Phase::kToCome && entry.input->arrives_at <= now_) arrive(entry);
            if (entry.phase == Phase::kOver) continue;
            const UnixMs ends_at = entry.runs_since + entry.work;
            const bool is_live = entry.phase == Phase::kRunning || entry.phase == Phase::kLeaving;
            if (is_live) come_up(entry);
            if (is_live && ends_at <= now_) {
                leave_device(entry, ends_at);
                if (entry.retries_done < entry.input->retries.size()) {
                    come_back(entry, ends_at);
                } else {
                    finish(entry, true);
                }
            } else if (entry.input->cancelled_at && *entry.input->cancelled_at <= now_) {
                if (is_live) leave_device(entry, now_);
                finish(entry, false);
            } else if (entry.phase == Phase::kLeaving && entry.leaves_at <= now_) {
                requeue(entry);
            } else if (entry.phase == Phase::kRunning) {
                send_away(entry);
            }
        }
    }

    void arrive(Entry& entry) {
        entry.phase = Phase::kWaiting;
        const std::string& series = entry.input->exclusive_series;
        if (series.empty()) return;
        const bool is_overlapping = std::any_of(entries_.begin(), entries_.end(), [&](const Entry& other) {
            return other.input->exclusive_series == series &&
                   other.input->arrives_at < entry.input->arrives_at && other.phase != Phase::kOver;
        });
        if (is_overlapping) finish(entry, false);
    }

    void leave_device(Entry& entry, UnixMs at) {
        const Millis ran = std::max(at - entry.runs_since, Millis{});
        entry.job.run_time = entry.job.run_time + ran;
        if (entry.job.spec.vram.value <= 0) return;
        entry.run.on_device = entry.run.on_device + ran;
        const Millis release = facts_of(entry, entry.job.attempt).release;
        if (release.value > 0) reclaiming_.emplace_back(entry.live.lease, at + release);
        Millis& of_class = snapshot_.gpu_time[static_cast<std::size_t>(entry.job.spec.job_class)];
        of_class = of_class + (at - entry.live.attempt.granted_at);
    }

    void come_back(Entry& entry, UnixMs at) {
        const ProjectedRetry& retry = entry.input->retries[entry.retries_done++];
        entry.work = std::max(retry.work, Millis{1});
        entry.job.retry_at = at + retry.pause;
        entry.job.state = JobState::kWaiting;
        entry.phase = Phase::kWaiting;
    }

    void send_away(Entry& entry) const {
        const auto at = facts_of(entry, entry.job.attempt).sent_away;
        if (!at || *at > now_) return;
        entry.phase = Phase::kLeaving;
        entry.job.state = JobState::kYielding;
        entry.leaves_at = now_ + leave_of(entry);
    }

    void requeue(Entry& entry) {
        const Millis ran = std::max(now_ - entry.runs_since, Millis{});
        leave_device(entry, now_);
        const bool keeps_work = entry.job.spec.checkpoint != CheckpointMode::kNone;
        if (keeps_work) entry.work = Millis{std::max<std::int64_t>(entry.work.value - ran.value, 1)};
        entry.job.has_checkpoint = entry.job.has_checkpoint || keeps_work;
        entry.job.state = JobState::kWaiting;
        entry.phase = Phase::kWaiting;
    }

    /// `has_run`: it came to its own end; else it was dropped.
    void finish(Entry& entry, bool has_run) {
        const bool is_success = has_run && entry.input->ends_well;
        entry.phase = Phase::kOver;
        entry.job.state = is_success ? JobState::kSucceeded : JobState::kFailed;
        if (has_run) {
            entry.run.end = entry.runs_since + entry.work;
        } else {
            entry.run.is_dropped = true;
        }
        for (const std::size_t child : entry.children) settle(entries_[child], entry.job.id, is_success);
    }

    void settle(Entry& child, JobId parent, bool is_success) {
        if (child.phase == Phase::kOver) return;
        for (const Dependency& dependency : child.job.spec.after) {
            if (dependency.on != parent) continue;
            const bool holds = dependency.kind == DependencyKind::kAny ||
                               is_success == (dependency.kind == DependencyKind::kSuccess);
            if (!holds) return finish(child, false);
            --child.job.dependencies_open;
        }
    }

    bool is_candidate(const Entry& entry) const {
        const JobSpec& spec = entry.job.spec;
        return entry.phase == Phase::kWaiting && !entry.job.held && entry.job.dependencies_open == 0 &&
               (!spec.not_before || *spec.not_before <= now_) &&
               (!entry.job.retry_at || *entry.job.retry_at <= now_);
    }

    void fill_snapshot() {
        snapshot_.live.clear();
        snapshot_.next_timer_hint.reset();
        snapshot_.waiting_count = {};
        snapshot_.reclaiming.clear();
        std::erase_if(reclaiming_, [this](const auto& lease) { return lease.second <= now_; });
        for (const auto& [lease, free_at] : reclaiming_) snapshot_.reclaiming.push_back(lease);
        std::array<std::vector<const Job*>, kJobClasses.size()> waiting;
        for (Entry& entry : entries_) {
            if (entry.phase == Phase::kRunning || entry.phase == Phase::kLeaving) {
                entry.live.job = entry.job;
                snapshot_.live.push_back(entry.live);
            } else if (entry.phase == Phase::kWaiting) {
                const auto job_class = static_cast<std::size_t>(entry.job.spec.job_class);
                ++snapshot_.waiting_count[job_class];
                if (is_candidate(entry)) waiting[job_class].push_back(&entry.job);
            }
        }
        for (std::size_t c = 0; c < waiting.size(); ++c) {
            auto& jobs = waiting[c];
            const auto shown = std::min<std::size_t>(jobs.size(), kCandidatesPerClass);
            const auto before = [this](const Job* a, const Job* b) { return goes_before(*a, *b, now_); };
            std::partial_sort(jobs.begin(), jobs.begin() + static_cast<std::ptrdiff_t>(shown), jobs.end(),
                              before);
            snapshot_.candidates[c].clear();
            for (std::size_t i = 0; i < shown; ++i) snapshot_.candidates[c].push_back(*jobs[i]);
        }
    }

    /// Whether the act happens now; else it is kept in mind as due.
    bool is_acted_on(Entry& entry) {
        if (!entry.due_since) entry.due_since = now_;
        return act_of(entry) <= now_;
    }

    /// Decisions that this plan no longer makes are forgotten.
    void forget_dues(const Plan& plan, std::vector<Decision>& undone) {
        const auto is_wanted = [&plan](JobId id) {
            const auto has = [id](const auto& entry) { return entry.job == id; };
            return std::any_of(plan.starts.begin(), plan.starts.end(), has) ||
                   std::any_of(plan.yields.begin(), plan.yields.end(), has);
        };
        for (Entry& entry : entries_) {
            if (!entry.due_since || is_wanted(entry.job.id)) continue;
            const bool is_start = entry.phase == Phase::kWaiting;
            undone.push_back({now_,
                              entry.job.id,
                              entry.job.attempt + (is_start ? 1 : 0),
                              is_start,
                              {},
                              now_ - *entry.due_since});
            entry.due_since.reset();
        }
    }

    void apply(const Plan& plan, Projection& projection) {
        std::vector<Decision>& decisions = projection.decisions;
        forget_dues(plan, projection.undone);
        for (const JobId id : plan.expired) finish(entry_of(id), false);
        for (const Start& start : plan.starts) {
            Entry& entry = entry_of(start.job);
            if (!is_acted_on(entry)) continue;
            decisions.push_back({now_, start.job, entry.job.attempt + 1, true, {}, now_ - *entry.due_since});
            entry.due_since.reset();
            put_on_device(entry, start.device, start.budget);
            if (!entry.run.first_start) entry.run.first_start = now_;
            if (!entry.job.started_at) entry.job.started_at = now_;
        }
        for (const Yield& yield : plan.yields) {
            Entry& entry = entry_of(yield.job);
            const AttemptFacts facts = facts_of(entry, entry.job.attempt);
            if (!is_acted_on(entry)) continue;
            decisions.push_back(
                {now_, yield.job, entry.job.attempt, false, yield.beneficiary, now_ - *entry.due_since});
            entry.due_since.reset();
            entry.phase = Phase::kLeaving;
            entry.job.state = JobState::kYielding;
            entry.leaves_at =
                facts.leave ? now_ + *facts.leave : std::min(now_ + kProjectedLeave, yield.deadline);
            entry.live.attempt.beneficiary = yield.beneficiary;
            entry.live.attempt.stop_reason = yield.reason;
            entry.live.attempt.deadline = yield.deadline;
            if (yield.reason != "preempted") continue;
            ++entry.run.preemptions;
            ++entry.job.preemptions;
            entry.preempted_at.push_back(now_);
            snapshot_.last_preemption_at = now_;
        }
        for (const Explanation& waiting : plan.waiting) {
            Job& job = entry_of(waiting.job).job;
            if (!is_eligible(waiting)) {
                stop_ageing(job);
            } else if (!job.eligible_since) {
                job.eligible_since = now_;
            }
        }
    }

    bool is_over() const {
        return std::all_of(entries_.begin(), entries_.end(),
                           [](const Entry& entry) { return entry.phase == Phase::kOver; });
    }

    UnixMs next_instant(const Plan& plan) const {
        UnixMs next = input_.until + Millis{1};
        const auto offer = [&next, this](std::optional<UnixMs> at) {
            if (at && *at > now_) next = std::min(next, *at);
        };
        offer(plan.next_wakeup);
        for (const auto& [lease, free_at] : reclaiming_) offer(free_at);
        if (next_change_ < input_.changes.size()) offer(input_.changes[next_change_].at);
        for (const Entry& entry : entries_) {
            if (entry.phase == Phase::kOver) continue;
            if (entry.phase == Phase::kToCome) offer(entry.input->arrives_at);
            if (entry.phase == Phase::kWaiting) {
                offer(entry.job.spec.not_before);
                offer(entry.job.retry_at);
            }
            if (entry.due_since) offer(act_of(entry));
            if (entry.phase == Phase::kRunning) {
                offer(entry.runs_since);
                offer(facts_of(entry, entry.job.attempt).sent_away);
            }
            if (entry.phase == Phase::kRunning || entry.phase == Phase::kLeaving) {
                offer(entry.runs_since + entry.work);
            }
            if (entry.phase == Phase::kLeaving) offer(entry.leaves_at);
            offer(entry.input->cancelled_at);
        }
        return next;
    }

    UnixMs act_of(const Entry& entry) const {
        const bool is_start = entry.phase == Phase::kWaiting;
        const AttemptFacts facts = facts_of(entry, entry.job.attempt + (is_start ? 1 : 0));
        const UnixMs due = *entry.due_since;
        if (!input_.is_recorded) {
            for (const auto& [at, given_up] : facts.undone) {
                if (at == due) return due + given_up + Millis{1};
            }
            return due + (is_start ? facts.start_reaction : facts.ask_reaction);
        }
        const auto recorded = is_start ? facts.granted : facts.asked;
        const bool is_same = recorded && *recorded >= due && *recorded - due <= kReactionMax;
        return NIGHTSHIFT_RULE(51, is_same ? *recorded : due + kReactionMax, due);
    }

    /// A job that still runs at the end has held its device until then.
    void close_books(Entry& entry) const {
        const bool is_live = entry.phase == Phase::kRunning || entry.phase == Phase::kLeaving;
        const UnixMs end = std::min(now_, input_.until);
        if (!is_live || entry.job.spec.vram.value == 0 || end < entry.runs_since) return;
        entry.run.on_device = entry.run.on_device + (end - entry.runs_since);
    }

    Entry& entry_of(JobId id) { return entries_[index_.at(id)]; }

    const ProjectionInput& input_;
    const TimeZones& zones_;
    Snapshot snapshot_;
    UnixMs now_;
    std::vector<Entry> entries_;
    std::map<JobId, std::size_t> index_;
    std::vector<std::pair<Lease, UnixMs>> reclaiming_;  ///< with the instant at which it is seen free
    std::size_t next_change_ = 0;
};

}  // namespace

Projection project(const ProjectionInput& input, const TimeZones& zones) {
    return World(input, zones).live_through();
}

}  // namespace nightshift
