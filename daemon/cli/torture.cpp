#include "daemon/cli/torture.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>

#include "daemon/cli/failure.h"
#include "daemon/cli/launch.h"
#include "daemon/cli/session.h"
#include "daemon/cli/text.h"
#include "daemon/cli/torture_night.h"
#include "daemon/cli/torture_process.h"
#include "daemon/cli/torture_report.h"

namespace nightshift::cli {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr Bytes kRoomMin = mebibytes(512);
constexpr Millis kTimeMin = seconds(1);
constexpr Millis kTimeMax = hours(24);
constexpr int kExitInterrupted = 130;

Millis time_of(const TortureOptions& options) {
    const Result<Millis> time = parse_duration(options.time);
    if (!time) throw Failure(kExitUsage, time.error().message, time.error().hint);
    if (*time < kTimeMin || kTimeMax < *time)
        throw Failure(kExitUsage, "a torture lasts between 1 s and 24 h", "Write for example --torture 60s.");
    return *time;
}

/// A new folder on the disk of the data folder, or below --scratch.
fs::path make_scratch(const Session& session, const TortureOptions& options) {
    const fs::path wanted =
        fs::absolute(options.scratch.empty() ? session.target.data_folder : options.scratch);
    fs::path below = wanted;
    std::error_code error;
    while (!fs::is_directory(below, error) && below.has_relative_path()) below = below.parent_path();
    const FolderFacts facts = facts_of(below.string());
    if (facts.is_network) {
        throw Failure(kExitRefused, below.string() + " lies on a network file system",
                      "The daemon refuses such folders; name a local one with --scratch DIR.");
    }
    if (Bytes{facts.bytes_free} < kRoomMin) {
        throw Failure(kExitRefused,
                      "only " + format_bytes(Bytes{facts.bytes_free}) + " are free at " + below.string(),
                      "A torture needs 512 MiB: make room, or name another folder with --scratch DIR.");
    }
    const fs::path folder = below / ("torture-" + std::to_string(std::random_device{}()));
    if (!fs::create_directory(folder, error)) {
        throw Failure(kExitFailed, "cannot make " + folder.string() + ": " + error.message(),
                      "Name a folder of yours with --scratch DIR.");
    }
    fs::permissions(folder, fs::perms::owner_all, error);
    return folder;
}

/// Rounds until the time is over; how many.
int run_rounds(const fs::path& folder, std::uint64_t seed, Millis time, bool is_told, TortureReport& report) {
    const std::int64_t end = steady_ms() + time.value;
    int rounds = 0;
    TortureNight night(folder, seed, report);
    try {
        night.measure(Millis{std::clamp<std::int64_t>(time.value / 10, 500, 5000)});
        while (steady_ms() < end && !StopRequests::is_asked()) {
            const std::string what = night.round();
            if (what.empty()) break;
            ++rounds;
            if (is_told) {
                std::printf("%4d  %s%s\n", rounds, what.c_str(), report.is_whole() ? "" : "  BROKEN");
                std::fflush(stdout);
            }
            if (!report.is_whole()) break;
        }
        if (!StopRequests::is_asked() && report.is_whole()) night.finish();
    } catch (const std::exception& error) {
        // What it saw until then is the report; a daemon that does not answer any more is the finding.
        if (report.is_whole()) report.broke(Promise::kComesBack, error.what());
    }
    return rounds;
}

std::string verdict(const TortureReport& report, int rounds, const std::string& kept) {
    const std::int64_t kills =
        report.count_of("kills of the daemon") + report.count_of("kills of the daemon while it started") +
        report.count_of("kills of workers") + report.count_of("deaths at a crash point");
    std::string text = std::to_string(rounds) + " rounds, " + std::to_string(kills) + " kills, " +
                       std::to_string(report.count_of("power cuts (kill amid submits)")) + " power cuts: ";
    if (!kept.empty()) return text + "A PROMISE WAS BROKEN\nThe files are kept in " + kept + "\n";
    return text +
           (StopRequests::is_asked() ? "ended early; so far every promise held\n" : "every promise held\n");
}

}  // namespace

void torture(Session& session, const TortureOptions& options) {
    const Millis time = time_of(options);
    const std::uint64_t seed = options.seed != 0 ? options.seed : std::random_device{}();
    const StopRequests stop;
    const fs::path folder = make_scratch(session, options);
    TortureReport report;
    if (session.is_for_people())
        std::printf("torturing daemons of its own in %s, seed %llu\n", harmless(folder.string()).c_str(),
                    static_cast<unsigned long long>(seed));
    const std::int64_t start = steady_ms();
    const int rounds = run_rounds(folder, seed, time, session.is_for_people(), report);
    const bool is_whole = report.is_whole();
    std::error_code error;
    if (is_whole) fs::remove_all(folder, error);
    const std::string kept = is_whole ? std::string() : folder.string();
    if (session.is_for_people()) {
        std::printf("\n%s\n%s", report.text().c_str(), harmless(verdict(report, rounds, kept), true).c_str());
    } else {
        json object = report.object();
        object["rounds"] = rounds;
        object["seconds"] = static_cast<double>(steady_ms() - start) / 1000;
        object["seed"] = seed;
        object["kept"] = kept.empty() ? json(nullptr) : json(kept);
        object["interrupted"] = StopRequests::is_asked();
        print_object(session.format, object, "");
    }
    session.exit_code = !is_whole ? kExitFailed : StopRequests::is_asked() ? kExitInterrupted : kExitOk;
}

}  // namespace nightshift::cli
