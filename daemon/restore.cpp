#include "daemon/restore.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "daemon/instance_lock.h"
#include "daemon/paths.h"
#include "daemon/system_clock.h"
#include "db/backup.h"
#include "db/store.h"

namespace nightshift::daemon {

namespace fs = std::filesystem;

namespace {

constexpr const char* kDatabase = "nightshift.db";
constexpr const char* kIncoming = "nightshift.db.incoming";
constexpr const char* kFiles[] = {"nightshift.db", "nightshift.db-wal", "nightshift.db-shm"};

std::int64_t number_of(const fs::path& path) {
    const std::string name = path.filename().string();
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    return error == std::errc() && end == name.data() + name.size() ? number : 0;
}

std::int64_t highest_job_folder() {
    std::int64_t highest = 0;
    std::error_code code;
    for (const auto& entry : fs::directory_iterator("jobs", code)) {
        highest = std::max(highest, number_of(entry.path()));
    }
    return highest;
}

/// Attempts that ran after the backup: their results must not be taken for those of the attempts to come.
Status set_unknown_attempts_aside(db::Store& store, const std::string& aside, int& count) {
    std::error_code code;
    for (const auto& job : fs::directory_iterator("jobs", code)) {
        const JobId id{number_of(job.path())};
        if (id.value == 0) continue;
        const auto known = store.job(id);
        if (!known) return known.error();
        if (!*known) continue;
        std::error_code ignored;
        for (const auto& attempt : fs::directory_iterator(job.path(), ignored)) {
            const auto number = static_cast<int>(number_of(attempt.path()));
            if (number == 0) continue;
            const auto row = store.attempt({id, number});
            if (!row) return row.error();
            if (*row) continue;
            const std::string to = aside + "/jobs/" + std::to_string(id.value);
            NIGHTSHIFT_TRY(make_folders(to));
            NIGHTSHIFT_TRY(rename_durably(attempt.path().string(), to + "/" + std::to_string(number)));
            ++count;
        }
    }
    return {};
}

}  // namespace

Result<std::string> restore_backup(const std::string& data_folder, const std::string& backup) {
    const std::string from = absolute_path(backup);
    NIGHTSHIFT_TRY(enter_data_folder(data_folder));
    auto lock = InstanceLock::take("nightshiftd.lock");
    if (!lock) return lock.error();
    // The copy is made and looked at before anything that is there is moved.
    for (const char* tail : {"", "-journal", "-wal", "-shm"}) forget_file(std::string(kIncoming) + tail);
    NIGHTSHIFT_TRY(db::verify_backup(from));
    NIGHTSHIFT_TRY(db::back_up(from, kIncoming));
    const std::string aside = "backup/replaced-" + std::to_string(SystemClock().now().value);
    NIGHTSHIFT_TRY(make_folders(aside));
    int kept = 0;
    for (const char* name : kFiles) {
        std::error_code code;
        if (!fs::exists(name, code)) continue;
        NIGHTSHIFT_TRY(rename_durably(name, aside + "/" + name));
        ++kept;
    }
    NIGHTSHIFT_TRY(rename_durably(kIncoming, kDatabase));
    NIGHTSHIFT_TRY(db::reserve_job_ids(kDatabase, highest_job_folder()));
    auto store = db::Store::open(kDatabase, "restore");
    if (!store) return store.error();
    int attempts = 0;
    NIGHTSHIFT_TRY(set_unknown_attempts_aside(**store, aside, attempts));
    std::string text = "Restored " + from + ".\n";
    if (kept > 0) text += "What was there before is kept in " + data_folder + "/" + aside + ".\n";
    if (attempts > 0) {
        text += std::to_string(attempts) + " attempts that the backup does not know went there as well.\n";
    }
    return text + "Start the daemon: `nightshift up`.\n";
}

}  // namespace nightshift::daemon
