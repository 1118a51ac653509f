#include "daemon/projector.h"

#include <boost/asio/post.hpp>

#include "api/policy_codec.h"
#include "daemon/time_zones.h"
#include "db/past_reader.h"

namespace nightshift::daemon {

namespace {

/// Requests that may wait for the helper thread.
constexpr int kUnderWayMax = 4;
/// Jobs that a forecast looks at; the rest of a longer queue is counted.
constexpr int kContractJobsMax = 1000;
constexpr int kReplayJobsMax = 20'000;

Error busy() {
    return {ErrorCode::kUnavailable, "projections_busy", "Other forecasts and replays are being computed.",
            "Try again in a few seconds.", ""};
}

std::vector<DeviceState> states_of(const std::vector<db::PlanDevice>& recorded) {
    std::vector<DeviceState> states;
    for (const db::PlanDevice& device : recorded) {
        DeviceState state;
        state.device.uuid = device.uuid;
        state.device.index = static_cast<int>(states.size());
        state.device.name = device.name;
        state.device.total = device.total;
        state.foreign = device.foreign;
        states.push_back(std::move(state));
    }
    return states;
}

Result<api::ContractAnswer> make_contract(const std::string& database, const Snapshot& world,
                                          std::vector<api::ComingJob> coming, UnixMs now, UnixMs until,
                                          const ContractOptions& options) {
    auto reader = db::PastReader::open(database);
    if (!reader) return reader.error();
    auto jobs = (*reader)->open_jobs(kContractJobsMax);
    if (!jobs) return jobs.error();
    const SystemTimeZones zones;
    api::ContractAnswer answer;
    std::vector<ContractJob> all;
    for (const Job& job : *jobs) {
        // A fire of a schedule overlaps with what an earlier one left in the queue.
        all.push_back({job, now, job.schedule});
    }
    for (const api::ComingJob& job : coming) {
        all.push_back({job.job, job.at, job.skips_overlap ? job.job.schedule : std::string()});
    }
    answer.contract = nightshift::night_contract(world, all, now, until, zones, options);
    std::int64_t waiting = 0;
    for (const std::int64_t count : world.waiting_count) waiting += count;
    for (const Job& job : *jobs) waiting -= job.state == JobState::kWaiting ? 1 : 0;
    answer.left_out = std::max<std::int64_t>(waiting, 0);
    answer.jobs = std::move(*jobs);
    answer.coming = std::move(coming);
    return answer;
}

Result<db::PlanRecord> beginning_of(db::PastReader& reader, const api::ReplayRequest& request) {
    const auto found = request.from_plan ? reader.world_at_plan(*request.from_plan)
                                         : reader.world_at(request.from_at.value_or(UnixMs{}));
    if (!found) return found.error();
    if (!*found) {
        return Error{ErrorCode::kInvalidArgument, "before_the_record", "No plan is recorded from that time.",
                     "Choose a later beginning: the record starts with the first plan of this data folder, "
                     "and ends when `retention.jobs` has passed.",
                     "/from"};
    }
    return **found;
}

/// Policies, foreign memory and pauses as they came after the beginning.
Status read_changes(db::PastReader& reader, const db::PlanRecord& begin, const TimeZones& zones, Past& past) {
    const auto records = reader.plans(begin.plan_seq, past.until);
    if (!records) return records.error();
    bool is_paused = begin.is_paused;
    for (const db::PlanRecord& record : *records) {
        WorldChange change;
        change.at = record.at;
        if (record.policy_json) {
            auto policy = api::parse_policy_text(*record.policy_json, zones);
            if (!policy) return policy.error();
            change.policy = std::move(*policy);
        }
        if (record.devices) {
            for (const db::PlanDevice& device : *record.devices) {
                change.foreign.emplace_back(device.uuid, device.foreign);
            }
        }
        if (record.is_paused != is_paused) change.is_paused = is_paused = record.is_paused;
        if (change.policy || change.is_paused || !change.foreign.empty()) past.changes.push_back(change);
    }
    return {};
}

Result<api::ReplayAnswer> make_replay(const std::string& database, Snapshot world, UnixMs now,
                                      const api::ReplayRequest& request, std::function<bool()> is_unwanted) {
    auto reader = db::PastReader::open(database);
    if (!reader) return reader.error();
    const SystemTimeZones zones;
    auto begin = beginning_of(**reader, request);
    if (!begin) return begin.error();
    Past past;
    past.is_unwanted = std::move(is_unwanted);
    past.from = request.from_plan ? begin->at : std::max(begin->at, request.from_at.value_or(begin->at));
    past.until = std::min(request.until.value_or(now), now);
    if (past.until <= past.from) {
        return Error{ErrorCode::kInvalidArgument, "empty_stretch", "The stretch ends before it begins.",
                     "Give an `until` after `from`.", "/until"};
    }
    auto policy = api::parse_policy_text(begin->policy_json.value_or("{}"), zones);
    if (!policy) return policy.error();
    past.world = std::move(world);
    past.world.policy = std::move(*policy);
    past.world.devices = states_of(begin->devices.value_or(std::vector<db::PlanDevice>{}));
    past.world.is_paused = begin->is_paused;
    past.world.is_draining = false;
    past.world.pause_until.reset();
    past.world.cpu_total = begin->cpu;
    past.world.ram_total = begin->ram;
    NIGHTSHIFT_TRY(read_changes(**reader, *begin, zones, past));
    auto jobs = (*reader)->jobs(past.from, past.until, kReplayJobsMax);
    if (!jobs) return jobs.error();
    past.jobs = std::move(*jobs);

    ReplayChange change;
    change.policy = request.policy;
    for (const Bytes card : request.cards) {
        Device device;
        device.index = static_cast<int>(change.devices.size());
        device.uuid = "what-if-" + std::to_string(device.index);
        device.name = "another card";
        device.total = card;
        change.devices.push_back(std::move(device));
    }
    api::ReplayAnswer answer;
    answer.replay = nightshift::replay(past, change, zones);
    answer.from_plan = begin->plan_seq;
    answer.from = past.from;
    answer.until = past.until;
    answer.jobs = std::move(past.jobs);
    return answer;
}

}  // namespace

Projector::Projector(boost::asio::io_context& loop, std::string database)
    : loop_(loop), database_(std::move(database)) {}

Projector::~Projector() {
    is_closing_ = true;
    thread_.join();
}

template <typename T>
void Projector::run(std::function<Result<T>()> work, Reply<T> reply) {
    if (under_way_ >= kUnderWayMax) return reply(busy());
    ++under_way_;
    boost::asio::post(thread_, [this, work = std::move(work), reply = std::move(reply)] {
        auto result = work();
        boost::asio::post(loop_, [this, result = std::move(result), reply]() mutable {
            --under_way_;
            reply(std::move(result));
        });
    });
}

void Projector::night_contract(Snapshot world, std::vector<api::ComingJob> coming, UnixMs now, UnixMs until,
                               int futures, Reply<api::ContractAnswer> reply) {
    ContractOptions options;
    options.futures = futures;
    options.is_unwanted = [this] { return is_closing_.load(); };
    run<api::ContractAnswer>(
        [this, world = std::move(world), coming = std::move(coming), now, until, options] {
            return make_contract(database_, world, coming, now, until, options);
        },
        std::move(reply));
}

void Projector::replay(Snapshot world, UnixMs now, api::ReplayRequest request,
                       Reply<api::ReplayAnswer> reply) {
    run<api::ReplayAnswer>(
        [this, world = std::move(world), now, request = std::move(request)] {
            return make_replay(database_, world, now, request, [this] { return is_closing_.load(); });
        },
        std::move(reply));
}

}  // namespace nightshift::daemon
