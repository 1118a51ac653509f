#include "daemon/upkeep.h"

#include <charconv>

namespace nightshift::daemon {

namespace {

constexpr auto kFirst = std::chrono::minutes(5);
constexpr auto kStep = std::chrono::hours(1);
constexpr int kRowsPerRun = 2000;
constexpr int kFoldersPerRun = 500;

}  // namespace

Upkeep::Upkeep(Loop& loop, std::function<Policy()> policy, std::string data_folder)
    : loop_(loop), policy_(std::move(policy)), data_folder_(std::move(data_folder)), timer_(loop.io()) {}

void Upkeep::start() {
    timer_.expires_after(kFirst);
    arm();
}

void Upkeep::arm() {
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        run();
        timer_.expires_after(kStep);
        arm();
    });
}

void Upkeep::run() {
    const Millis kept = policy_().retain_jobs;
    loop_.change(
        {[kept](db::Store& store, UnixMs now) { return store.prune(now - kept, now - kept, kRowsPerRun); },
         {},
         false});
    tidy_folders(loop_.clock().now());
}

void Upkeep::tidy_folders(UnixMs now) {
    std::error_code code;
    const std::filesystem::directory_iterator end;
    if (folders_ == end) folders_ = std::filesystem::directory_iterator(data_folder_ + "/jobs", code);
    for (int i = 0; i < kFoldersPerRun && !code && folders_ != end; ++i) {
        const std::filesystem::path folder = folders_->path();
        folders_.increment(code);
        tidy_folder(folder, now);
    }
}

void Upkeep::tidy_folder(const std::filesystem::path& folder, UnixMs now) {
    const std::string name = folder.filename().string();
    JobId id;
    const auto [at, error] = std::from_chars(name.data(), name.data() + name.size(), id.value);
    if (error != std::errc() || at != name.data() + name.size()) return;
    const auto job = loop_.store().job(id);
    if (!job) return;
    std::error_code ignored;
    if (!*job) {
        // Its row is past its retention, so nothing unfinished depends on it.
        std::filesystem::remove_all(folder, ignored);
        return;
    }
    if (!(*job)->ended_at || *(*job)->ended_at > now - policy_().retain_logs) return;
    for (const auto& attempt : std::filesystem::directory_iterator(folder, ignored)) {
        std::filesystem::remove(attempt.path() / "stdout.log", ignored);
        std::filesystem::remove(attempt.path() / "progress.jsonl", ignored);
    }
}

}  // namespace nightshift::daemon
