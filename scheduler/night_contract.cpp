#include "scheduler/night_contract.h"

#include <algorithm>
#include <cmath>

#include "scheduler/runtime.h"

namespace nightshift {
namespace {

/// The 90th percentile of the standard normal distribution.
constexpr double kNormal90 = 1.2815515655446004;
/// A live job that outlived every guess is taken to need this share of its age again.
constexpr double kOutlivedShare = 0.1;
constexpr int kDrawsMax = 16;

/// Standard normal numbers (Box and Muller, 1958): std::normal_distribution differs between libraries,
/// and a forecast has to be repeatable.
class Dice {
  public:
    explicit Dice(std::uint64_t seed) : state_(seed) {}
    double normal() {
        const double u = uniform();
        const double v = uniform();
        return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * 3.14159265358979323846 * v);
    }

  private:
    /// SplitMix64 (Steele, Lea, Flood, 2014), in (0, 1).
    double uniform() {
        state_ += 0x9e3779b97f4a7c15;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        z ^= z >> 31;
        return (static_cast<double>(z >> 11) + 0.5) * 0x1p-53;
    }

    std::uint64_t state_;
};

struct Expectation {
    RunTime run;
    Millis elapsed;  ///< of a live job
    std::optional<LiveJob> live;
    bool is_known = false;
};

Expectation expect(const Snapshot& world, const Job& job, UnixMs now) {
    Expectation expectation;
    expectation.run = predict_run(job, world);
    expectation.is_known = expectation.run.p50 && expectation.run.p90;
    for (const LiveJob& live : world.live) {
        if (live.job.id != job.id) continue;
        expectation.live = live;
        expectation.elapsed = now - live.attempt.running_at.value_or(live.attempt.granted_at);
    }
    return expectation;
}

Millis draw(const Expectation& expectation, Dice& dice, Millis never) {
    if (!expectation.is_known) return never;
    const double p50 = static_cast<double>(std::max<std::int64_t>(expectation.run.p50->value, 1));
    const double p90 = static_cast<double>(std::max<std::int64_t>(expectation.run.p90->value, 1));
    const double spread = p90 > p50 ? std::log(p90 / p50) / kNormal90 : 0.0;
    for (int i = 0; i < kDrawsMax; ++i) {
        const Millis whole{static_cast<std::int64_t>(p50 * std::exp(spread * dice.normal()))};
        if (whole > expectation.elapsed) return std::min(whole - expectation.elapsed, never);
    }
    return Millis{std::max<std::int64_t>(
        static_cast<std::int64_t>(static_cast<double>(expectation.elapsed.value) * kOutlivedShare), 1)};
}

/// The value below which a share of the futures lies; absent when that many never came to it.
std::optional<UnixMs> quantile(std::vector<UnixMs> times, int futures, double share) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * futures));
    if (rank == 0 || times.size() < rank) return std::nullopt;
    std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(rank - 1), times.end());
    return times[rank - 1];
}

Verdict judge(const ContractLine& line, bool is_known) {
    if (!is_known) return Verdict::kUnknown;
    if (line.chance >= 0.9) return Verdict::kDone;
    if (line.chance >= 0.5) return Verdict::kLikely;
    return line.chance > 0 ? Verdict::kUnlikely : Verdict::kNo;
}

/// A job of the queue of which something can be said.
bool is_promised(const ContractJob& job, const Expectation& expectation, UnixMs now) {
    return job.arrives_at <= now && expectation.is_known && !job.job.held;
}

struct Tally {
    std::vector<UnixMs> starts, ends;
    int in_time = 0;
};

}  // namespace

std::string_view to_string(Verdict verdict) {
    switch (verdict) {
        case Verdict::kDone:
            return "done";
        case Verdict::kLikely:
            return "likely";
        case Verdict::kUnlikely:
            return "unlikely";
        case Verdict::kNo:
            return "no";
        case Verdict::kUnknown:
            return "unknown";
    }
    return "unknown";
}

NightContract night_contract(const Snapshot& world, const std::vector<ContractJob>& jobs, UnixMs now,
                             UnixMs until, const TimeZones& zones, const ContractOptions& options) {
    NightContract contract;
    contract.until = until;
    contract.futures = std::clamp(options.futures, 1, 1000);
    std::vector<Expectation> expectations;
    for (const ContractJob& job : jobs) expectations.push_back(expect(world, job.job, now));

    ProjectionInput input;
    input.world = world;
    input.from = now;
    input.until = until + kContractHorizon;
    input.is_unwanted = options.is_unwanted;
    const Millis never = input.until - now + hours(1);
    std::vector<Tally> tallies(jobs.size());
    int all_in_time = 0;
    Dice dice(options.seed);
    for (int future = 0; future < contract.futures; ++future) {
        input.jobs.clear();
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            ProjectedJob job{jobs[i].job, jobs[i].arrives_at, draw(expectations[i], dice, never),
                             expectations[i].live};
            job.exclusive_series = jobs[i].exclusive_series;
            input.jobs.push_back(std::move(job));
        }
        const Projection projection = project(input, zones);
        contract.is_cut_short = contract.is_cut_short || projection.is_cut_short;
        bool is_all = true;
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            const ProjectedRun& run = projection.runs[i];
            if (run.first_start) tallies[i].starts.push_back(*run.first_start);
            if (run.end) tallies[i].ends.push_back(*run.end);
            const bool is_in_time = run.end && *run.end <= until;
            tallies[i].in_time += is_in_time ? 1 : 0;
            if (is_promised(jobs[i], expectations[i], now)) is_all = is_all && is_in_time;
        }
        all_in_time += is_all ? 1 : 0;
    }
    contract.all_chance = static_cast<double>(all_in_time) / contract.futures;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        ContractLine line;
        line.job = jobs[i].job.id;
        line.chance = static_cast<double>(tallies[i].in_time) / contract.futures;
        line.start_p50 = quantile(tallies[i].starts, contract.futures, 0.5);
        line.end_p50 = quantile(tallies[i].ends, contract.futures, 0.5);
        line.end_p90 = quantile(tallies[i].ends, contract.futures, 0.9);
        line.basis = jobs[i].job.held ? "it is held" : basis_of_run(jobs[i].job, world);
        line.verdict = judge(line, expectations[i].is_known && !jobs[i].job.held);
        contract.lines.push_back(std::move(line));
    }
    return contract;
}

}  // namespace nightshift
