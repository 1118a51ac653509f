#include "daemon/storage_keeper.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <filesystem>

#include "api/rfc3339.h"
#include "daemon/paths.h"
#include "db/backup.h"
#include "db/self_check.h"

namespace nightshift::daemon {

namespace fs = std::filesystem;

namespace {

constexpr const char* kPrefix = "nightshift-";
constexpr const char* kSuffix = ".db";

/// "nightshift-2026-11-21T13.00.00.000Z.db": sorts by time, and is a file name everywhere.
std::string name_of(UnixMs at) {
    std::string time = api::format_time(at);
    std::replace(time.begin(), time.end(), ':', '.');
    return kPrefix + time + kSuffix;
}

std::optional<UnixMs> time_of(const std::string& name) {
    const std::string prefix = kPrefix, suffix = kSuffix;
    if (name.rfind(prefix, 0) != 0 || name.size() < prefix.size() + suffix.size()) return std::nullopt;
    if (name.substr(name.size() - suffix.size()) != suffix) return std::nullopt;
    std::string time = name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
    if (time.size() < 19) return std::nullopt;
    time[13] = time[16] = ':';
    return api::parse_time(time);
}

std::vector<api::BackupInfo> list(const std::string& folder) {
    std::vector<api::BackupInfo> found;
    std::error_code code;
    for (const auto& entry : fs::directory_iterator(folder, code)) {
        const std::string name = entry.path().filename().string();
        const auto at = time_of(name);
        if (!at) continue;
        std::error_code ignored;
        found.push_back({name, Bytes{static_cast<std::int64_t>(entry.file_size(ignored))}, *at});
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.name > b.name; });
    return found;
}

/// Under a temporary name until it was verified: what has the name of a backup is one.
Result<api::BackupInfo> make(const std::string& database, const std::string& folder, UnixMs at) {
    NIGHTSHIFT_TRY(make_folders(folder));
    const std::string unfinished = folder + "/unfinished.db";
    for (const char* tail : {"", "-journal", "-wal", "-shm"}) forget_file(unfinished + tail);
    NIGHTSHIFT_TRY(db::back_up(database, unfinished));
    const std::string name = name_of(at);
    NIGHTSHIFT_TRY(rename_durably(unfinished, folder + "/" + name));
    const auto all = list(folder);
    for (std::size_t i = StorageKeeper::kBackupsKept; i < all.size(); ++i) {
        forget_file(folder + "/" + all[i].name);
    }
    std::error_code ignored;
    const auto bytes = fs::file_size(folder + "/" + name, ignored);
    return api::BackupInfo{name, Bytes{static_cast<std::int64_t>(bytes)}, at};
}

}  // namespace

StorageKeeper::StorageKeeper(boost::asio::io_context& io, const Clock& clock, std::string database,
                             std::string folder)
    : io_(io), clock_(clock), database_(std::move(database)), folder_(std::move(folder)) {}

StorageKeeper::~StorageKeeper() {
    thread_.join();
}

void StorageKeeper::self_check(Reply<std::vector<db::CheckResult>> reply) {
    boost::asio::post(thread_, [this, reply = std::move(reply)]() mutable {
        auto checks = db::check_database(database_);
        boost::asio::post(io_, [checks = std::move(checks), reply = std::move(reply)]() mutable {
            reply(std::move(checks));
        });
    });
}

void StorageKeeper::back_up(Reply<api::BackupInfo> reply) {
    boost::asio::post(thread_, [this, at = clock_.now(), reply = std::move(reply)]() mutable {
        auto made = make(database_, folder_, at);
        boost::asio::post(io_, [made = std::move(made), reply = std::move(reply)]() mutable {
            if (made) {
                spdlog::info("backup name={} bytes={}", made->name, made->bytes.value);
            } else {
                spdlog::error("backup_failed error=\"{}\"", made.error().message);
            }
            reply(std::move(made));
        });
    });
}

std::vector<api::BackupInfo> StorageKeeper::backups() const {
    return list(folder_);
}

}  // namespace nightshift::daemon
