#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/submit_codec.h"
#include "daemon/loop.h"
#include "scheduler/cron.h"

namespace nightshift::daemon {

/// Fires schedules. A nominal time is recorded in the same transaction as its jobs, so that it happens
/// once whatever happens to the daemon. Runs before the dispatcher in every tick. Thread: the loop.
class ScheduleRunner final : public TickStage {
  public:
    using MakeDefaults = std::function<api::SubmitDefaults(UnixMs now)>;
    using StopJob = std::function<Status(db::Store&, const Job&, UnixMs now)>;
    using StopProcess = std::function<void(JobId)>;

    /// `stop_job` cancels a job inside the transaction (overlap "replace"), `stop_process` tells its
    /// process after the commit.
    ScheduleRunner(Loop& loop, const TimeZones& zones, MakeDefaults defaults, StopJob stop_job,
                   StopProcess stop_process);

    /// Reads the schedules again, after a change of them; works out fire times anew.
    void reload() { is_stale_ = true; }
    /// As the newest tick knew them.
    const std::vector<Schedule>& schedules() const { return schedules_; }
    /// Submits the chain of a schedule now, inside the open transaction.
    Result<std::vector<JobId>> submit_chain(db::Store& store, const Schedule& schedule, UnixMs nominal,
                                            const std::string& actor, UnixMs now);

    Status decide(db::Store& store, UnixMs now) override;
    void act() override;
    void forget() override;
    std::optional<UnixMs> next_wakeup() const override;

  private:
    /// A fire and its local time, by the rules of the zone that held then.
    struct Fired {
        UnixMs nominal;
        std::string timezone;
        LocalTime local;
    };
    Status fire(db::Store& store, Schedule& schedule, UnixMs now);
    void note_fired(const Schedule& schedule, std::optional<UnixMs> nominal);
    /// The first fire after `now` whose local time has not been fired: new rules of a zone may bring back
    /// an hour that is over.
    std::optional<UnixMs> next_of(const Schedule& schedule, UnixMs now) const;
    Status read(db::Store& store, UnixMs now);
    Status stop_open_jobs(db::Store& store, const std::string& schedule, UnixMs now);

    const TimeZones& zones_;
    MakeDefaults defaults_;
    StopJob stop_job_;
    StopProcess stop_process_;
    std::vector<JobId> stopped_;  ///< in the open transaction
    std::vector<Schedule> schedules_;
    std::map<ScheduleId, Fired> fired_;  ///< the newest fire of each
    bool is_stale_ = true;
};

}  // namespace nightshift::daemon
