#include "daemon/coming_jobs.h"

#include <algorithm>
#include <cstdint>

namespace nightshift::daemon {

namespace {

/// No stored job comes near: at a thousand submits a second that takes a hundred million years.
constexpr std::int64_t kBehindAll = INT64_MAX / 2;

struct Coming {
    const Schedule* schedule;
    UnixMs at;
};

std::vector<Coming> fires_until(const std::vector<Schedule>& schedules, const TimeZones& zones, UnixMs now,
                                UnixMs until) {
    std::vector<Coming> fires;
    for (const Schedule& schedule : schedules) {
        if (!schedule.enabled) continue;
        UnixMs after = now;
        for (int i = 0; i < kComingFiresMax; ++i) {
            const auto fire = next_fire(schedule.cron, schedule.timezone, zones, after);
            if (!fire || fire->at > until) break;
            fires.push_back({&schedule, fire->at});
            after = fire->at;
        }
    }
    std::stable_sort(fires.begin(), fires.end(),
                     [](const Coming& a, const Coming& b) { return a.at < b.at; });
    return fires;
}

Job make_job(JobSpec spec, const Coming& fire, std::int64_t number) {
    Job job;
    job.id = JobId{kBehindAll + number};
    job.order_key = kBehindAll + number;
    job.held = spec.hold;
    job.retries_left = spec.retries;
    job.created_at = fire.at;
    job.schedule = fire.schedule->name;
    job.spec = std::move(spec);
    return job;
}

/// The jobs of one fire; none when one of them would be refused.
std::vector<api::ComingJob> jobs_of(const Coming& fire, api::SubmitDefaults defaults, std::int64_t number) {
    const auto chain = api::parse_chain(fire.schedule->jobs_json);
    if (!chain) return {};
    defaults.now = fire.at;
    std::vector<JobId> ids(chain->texts.size());
    std::vector<api::ComingJob> jobs;
    for (const std::size_t place : chain->order) {
        auto spec = api::parse_submit_text(chain->texts[place], defaults, ids);
        if (!spec) return {};
        jobs.push_back({make_job(std::move(*spec), fire, number++), fire.at,
                        fire.schedule->overlap == OverlapPolicy::kSkip});
        ids[place] = jobs.back().job.id;
    }
    return jobs;
}

}  // namespace

std::vector<api::ComingJob> coming_jobs(const std::vector<Schedule>& schedules,
                                        const api::SubmitDefaults& defaults, UnixMs until) {
    api::SubmitDefaults checks = defaults;
    checks.check_paths = false;  // the night's earlier jobs may still make them
    std::vector<api::ComingJob> all;
    for (const Coming& fire : fires_until(schedules, *defaults.zones, defaults.now, until)) {
        std::vector<api::ComingJob> jobs = jobs_of(fire, checks, static_cast<std::int64_t>(all.size()));
        if (all.size() + jobs.size() > kComingJobsMax) break;
        all.insert(all.end(), std::make_move_iterator(jobs.begin()), std::make_move_iterator(jobs.end()));
    }
    return all;
}

}  // namespace nightshift::daemon
