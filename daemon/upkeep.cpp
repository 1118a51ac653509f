#include "daemon/upkeep.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <charconv>
#include <memory>
#include <vector>

namespace nightshift::daemon {

namespace {

/// Often enough for some jobs a second all day, and a daemon that does not live long gets there, too.
constexpr auto kFirst = std::chrono::seconds(10);
constexpr auto kStep = std::chrono::minutes(1);
/// The first look for a backup comes after some minutes: the start has enough to do.
constexpr int kRoundsToBackup = 60;
constexpr int kRoundOfBackup = 5;
constexpr Millis kBackupEvery = hours(24);
constexpr int kRowsPerRun = 2000;
constexpr int kFoldersPerRun = 500;
/// Without a pause, so that the loop is held for a few milliseconds only.
constexpr int kFoldersAtOnce = 50;

}  // namespace

Upkeep::Upkeep(Loop& loop, StorageKeeper& storage, std::function<Policy()> policy, std::string data_folder)
    : loop_(loop),
      storage_(storage),
      policy_(std::move(policy)),
      data_folder_(std::move(data_folder)),
      timer_(loop.io()) {}

void Upkeep::start() {
    timer_.expires_after(kFirst);
    arm();
}

void Upkeep::arm() {
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        if (rounds_++ % kRoundsToBackup == kRoundOfBackup) {
            run();
        } else {
            tidy();
        }
        timer_.expires_after(kStep);
        arm();
    });
}

void Upkeep::run() {
    tidy();
    back_up(loop_.clock().now());
}

void Upkeep::tidy() {
    const Millis kept = policy_().retain_jobs;
    loop_.change(
        {[kept](db::Store& store, UnixMs now) { return store.prune(now - kept, now - kept, kRowsPerRun); },
         {},
         false});
    // Old jobs of another database would go at once by their own age: theirs counts from the import.
    loop_.change(
        {[kept](db::Store& store, UnixMs now) { return store.prune_imports(now - kept, kRowsPerRun); },
         {},
         false});
    tidy_folders(kFoldersPerRun);
}

void Upkeep::back_up(UnixMs now) {
    const auto known = storage_.backups();
    // A clock that was ahead must not keep backups away for years.
    if (!known.empty() && known.front().at <= now && now - known.front().at < kBackupEvery) return;
    if (loop_.is_disk_low() || loop_.trouble()) return;
    storage_.back_up([](const Result<api::BackupInfo>&) {});
}

void Upkeep::tidy_folders(int count) {
    const UnixMs now = loop_.clock().now();
    std::error_code code;
    const std::filesystem::directory_iterator end;
    if (folders_ == end) folders_ = std::filesystem::directory_iterator(data_folder_ + "/jobs", code);
    for (int i = 0; i < std::min(count, kFoldersAtOnce) && !code && folders_ != end; ++i) {
        const std::filesystem::path folder = folders_->path();
        folders_.increment(code);
        tidy_folder(folder, now);
    }
    if (count <= kFoldersAtOnce || code || folders_ == end) return;
    boost::asio::post(loop_.io(), [weak = std::weak_ptr(alive_), this, left = count - kFoldersAtOnce] {
        if (!weak.expired()) tidy_folders(left);
    });
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
    tidy_checkpoints(id, folder, now);
    if (!(*job)->ended_at || *(*job)->ended_at > now - policy_().retain_logs) return;
    for (const auto& attempt : std::filesystem::directory_iterator(folder, ignored)) {
        std::filesystem::remove(attempt.path() / "stdout.log", ignored);
        std::filesystem::remove(attempt.path() / "progress.jsonl", ignored);
    }
}

void Upkeep::tidy_checkpoints(JobId id, const std::filesystem::path& folder, UnixMs now) {
    std::error_code ignored;
    std::vector<std::filesystem::path> found;
    for (const auto& attempt : std::filesystem::directory_iterator(folder, ignored)) {
        const auto files = attempt.path() / "checkpoint";
        if (std::filesystem::exists(files, ignored) && !std::filesystem::is_empty(files, ignored)) {
            found.push_back(files);
        }
    }
    if (found.empty()) return;
    const UnixMs before = now - policy_().retain_checkpoints;
    const auto may_go = std::make_shared<bool>(false);
    // The rows first: a checkpoint that is listed is there.
    loop_.change({[id, before, may_go](db::Store& store, UnixMs) -> Status {
                      const auto forgotten = store.forget_checkpoints(id, before);
                      if (!forgotten) return forgotten.error();
                      *may_go = *forgotten;
                      return {};
                  },
                  [found, may_go](const Status& stored) {
                      if (!stored || !*may_go) return;
                      std::error_code code;
                      for (const auto& files : found) std::filesystem::remove_all(files, code);
                  },
                  false});
}

}  // namespace nightshift::daemon
