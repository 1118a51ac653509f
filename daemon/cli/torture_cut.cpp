#include "daemon/cli/torture_cut.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "daemon/cli/failure.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/launch.h"
#include "daemon/cli/session.h"
#include "daemon/cli/torture_daemon.h"

namespace nightshift::cli {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

// https://www.sqlite.org/fileformat2.html#the_write_ahead_log
constexpr std::size_t kLogHeaderBytes = 32;
constexpr std::size_t kFrameHeaderBytes = 24;
constexpr std::size_t kSectorBytes = 512;
constexpr std::int64_t kPageBytesMax = 65'536;

constexpr int kSubmitters = 2;
constexpr int kJobsMax = 40;
constexpr int kMomentMsMin = 50;
constexpr int kMomentMsMax = 250;
constexpr int kExitRefusesFolder = 78;

std::int64_t big_endian(std::string_view bytes) {
    std::int64_t value = 0;
    for (const char byte : bytes.substr(0, 4)) value = value << 8 | static_cast<unsigned char>(byte);
    return value;
}

/// Ids that were acknowledged, and of those the ones whose cancel was.
struct Acknowledged {
    std::set<std::int64_t> jobs, cancelled;
};

void submit_until_it_dies(const std::string& data_folder, int number, Acknowledged& seen) {
    try {
        Client client(Target{data_folder, "", ""});
        for (int n = 0; n < kJobsMax; ++n) {
            const std::string name = "cut " + std::to_string(number) + " " + std::to_string(n);
            const json job = client.post(
                "/api/v1/jobs",
                {{"kind", "sleep"}, {"name", name}, {"hold", true}, {"params", {{"seconds", 1}}}});
            const std::int64_t id = number_at(job, "id");
            seen.jobs.insert(id);
            if (n % 3 != 2) continue;
            client.post(job_path(id, "cancel"));
            seen.cancelled.insert(id);
        }
    } catch (const Failure&) {
        // The kill that this is about.
    }
}

Acknowledged live_and_die(TorturedDaemon& daemon, std::mt19937_64& chance) {
    std::array<Acknowledged, kSubmitters> parts;
    std::vector<std::thread> threads;
    for (int i = 0; i < kSubmitters; ++i) {
        threads.emplace_back([&daemon, i, &part = parts[static_cast<std::size_t>(i)]] {
            submit_until_it_dies(daemon.folder(), i, part);
        });
    }
    sleep_ms(kMomentMsMin + static_cast<int>(chance() % (kMomentMsMax - kMomentMsMin)));
    daemon.end_at_once();
    for (std::thread& thread : threads) thread.join();
    Acknowledged all;
    for (const Acknowledged& part : parts) {
        all.jobs.insert(part.jobs.begin(), part.jobs.end());
        all.cancelled.insert(part.cancelled.begin(), part.cancelled.end());
    }
    return all;
}

std::string bytes_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string noise(std::size_t count, std::mt19937_64& chance) {
    std::string bytes(count, '\0');
    for (char& byte : bytes) byte = static_cast<char>(chance());
    return bytes;
}

/// One end that a power cut could have left of the log.
struct Ending {
    const char* name;
    std::string log;
    bool keeps_all;  ///< every commit is whole
};

std::vector<Ending> endings_of(const std::string& log, std::mt19937_64& chance) {
    const LogShape shape = shape_of(log);
    if (shape.page_bytes == 0 || shape.committed_end == 0) return {};
    const auto committed = static_cast<std::size_t>(shape.committed_end);
    const auto before = std::max(static_cast<std::size_t>(shape.before_last), kLogHeaderBytes);
    std::vector<Ending> endings;
    // A transaction that was being written: a frame of the right run, its page torn.
    std::string torn = log.substr(0, committed) + log.substr(kLogHeaderBytes, kFrameHeaderBytes);
    torn += noise(kSectorBytes * (1 + chance() % 6), chance);
    endings.push_back({"torn tail", std::move(torn), true});
    endings.push_back({"tail cut off", log.substr(0, committed), true});
    std::string sector = log.substr(0, committed);
    const std::size_t first = (before + kSectorBytes - 1) / kSectorBytes;
    const std::size_t sectors = std::max<std::size_t>(1, committed / kSectorBytes - first);
    const std::size_t at = std::min((first + chance() % sectors) * kSectorBytes, committed - 1);
    sector.replace(at, std::min(kSectorBytes, committed - at), noise(kSectorBytes, chance), 0,
                   std::min(kSectorBytes, committed - at));
    endings.push_back({"lost sector", std::move(sector), false});
    endings.push_back({"lost commits", log.substr(0, committed / 2 + chance() % (committed / 2)), false});
    return endings;
}

void compare(TorturedDaemon& daemon, const Ending& ending, const Acknowledged& seen, TortureReport& report) {
    const std::string what = std::string(ending.name) + ": ";
    Client client = daemon.client();
    if (!flag_at(client.get("/api/v1/selfcheck"), "ok"))
        return report.broke(Promise::kWholeMoment, what + "an invariant is broken");
    std::map<std::int64_t, std::string> stored;
    // One page holds them all: 2 x kJobsMax.
    const json page = client.get("/api/v1/jobs?limit=200");
    for (const json& job : array_at(page, "jobs")) stored[number_at(job, "id")] = text_at(job, "state");
    const std::int64_t newest = stored.empty() ? 0 : stored.rbegin()->first;
    for (const std::int64_t id : seen.jobs) {
        if (stored.contains(id) || (!ending.keeps_all && id > newest)) continue;
        return report.broke(Promise::kWholeMoment, what + "job " + std::to_string(id) + " is missing");
    }
    for (const std::int64_t id : seen.cancelled) {
        if (!ending.keeps_all || stored[id] == "cancelled") continue;
        return report.broke(Promise::kWholeMoment,
                            what + "the cancel of job " + std::to_string(id) + " is lost");
    }
    report.held(Promise::kWholeMoment);
}

void open_image(const fs::path& folder, const fs::path& source, const Ending& ending,
                const Acknowledged& seen, TortureReport& report) {
    TorturedDaemon daemon((folder / "image").string(), (folder / "daemon.log").string());
    for (const char* name : {"nightshift.db", "auth.hdr", "operator.hdr", "viewer.hdr", "policy.json"})
        fs::copy_file(source / name, folder / "image" / name);
    std::ofstream(folder / "image" / "nightshift.db-wal", std::ios::binary) << ending.log;
    daemon.spawn();
    if (daemon.wait_ready()) return compare(daemon, ending, seen, report);
    // A refusal that says so is honest where the disk lied; where it kept its word there is no reason for
    // one.
    if (!ending.keeps_all && daemon.exit_code() == kExitRefusesFolder)
        return report.held(Promise::kWholeMoment);
    report.broke(Promise::kWholeMoment, std::string(ending.name) + ": does not open: " + daemon.last_words());
}

}  // namespace

LogShape shape_of(std::string_view log) {
    LogShape shape;
    if (log.size() < kLogHeaderBytes) return shape;
    const std::int64_t page = big_endian(log.substr(8));
    if (page < static_cast<std::int64_t>(kSectorBytes) || page > kPageBytesMax) return shape;
    shape.page_bytes = page;
    const std::string_view salts = log.substr(16, 8);
    const std::size_t frame = kFrameHeaderBytes + static_cast<std::size_t>(page);
    for (std::size_t at = kLogHeaderBytes; at + frame <= log.size(); at += frame) {
        // Frames of an earlier run follow behind the newest one; their salts differ.
        if (log.substr(at + 8, 8) != salts) break;
        ++shape.frames;
        if (big_endian(log.substr(at + 4)) == 0) continue;
        shape.before_last = shape.committed_end;
        shape.committed_end = static_cast<std::int64_t>(at + frame);
    }
    return shape;
}

void cut_power(const std::string& folder, std::uint64_t seed, TortureReport& report) {
    std::mt19937_64 chance(seed);
    const fs::path root(folder);
    Acknowledged seen;
    {
        TorturedDaemon daemon((root / "data").string(), (root / "daemon.log").string());
        daemon.spawn();
        if (!daemon.wait_ready()) return report.broke(Promise::kComesBack, daemon.last_words());
        seen = live_and_die(daemon, chance);
    }
    report.did("power cuts (kill amid submits)");
    for (const Ending& ending : endings_of(bytes_of(root / "data" / "nightshift.db-wal"), chance)) {
        open_image(root, root / "data", ending, seen, report);
        report.did(std::string("images of a cut log opened: ") + ending.name);
        fs::remove_all(root / "image");
    }
    // Kept when something is broken: the files are the evidence.
    if (report.is_whole()) fs::remove_all(root);
}

}  // namespace nightshift::cli
