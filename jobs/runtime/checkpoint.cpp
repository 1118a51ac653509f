#include "jobs/runtime/checkpoint.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "jobs/runtime/clock.h"
#include "jobs/runtime/durable_file.h"
#include "jobs/runtime/job_impl.h"
#include "jobs/runtime/sha256.h"
#include "scheduler/crash_point.h"

namespace nightshift::jobs {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;
constexpr std::size_t kManifestBytesMax = 16 * 1024 * 1024;
constexpr const char* kFreshName = "fresh.tmp";

/// Names are "000007-step-1200": a number that only rises, so that the newest sorts last even when a
/// step is saved twice. Returns 0 for other names.
std::int64_t sequence_of(const fs::path& checkpoint) {
    const std::string name = checkpoint.filename().string();
    if (name.find("-step-") == std::string::npos) return 0;
    std::int64_t sequence = 0;
    std::from_chars(name.data(), name.data() + name.size(), sequence);
    return sequence;
}

/// Committed checkpoints below `folder`, oldest first.
std::vector<fs::path> list_checkpoints(const fs::path& folder) {
    std::vector<fs::path> found;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
        if (sequence_of(entry.path()) > 0) found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end(),
              [](const fs::path& a, const fs::path& b) { return sequence_of(a) < sequence_of(b); });
    return found;
}

/// Folders of attempts are named by their numbers; 0 for others.
int attempt_of(const fs::path& folder) {
    const std::string name = folder.filename().string();
    int number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    return error == std::errc() && end == name.data() + name.size() ? std::max(number, 0) : 0;
}

/// Folders of the earlier attempts of the same job, newest first.
std::vector<fs::path> attempts_before(const fs::path& attempt) {
    std::vector<fs::path> found;
    if (attempt_of(attempt) == 0) return found;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(attempt.parent_path(), error)) {
        const int number = attempt_of(entry.path());
        if (number > 0 && number < attempt_of(attempt)) found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end(),
              [](const fs::path& a, const fs::path& b) { return attempt_of(a) > attempt_of(b); });
    return found;
}

/// Regular files below `folder` as relative paths, sorted; the manifest itself is left out.
std::vector<fs::path> list_files(const fs::path& folder) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (!entry.is_regular_file() || entry.is_symlink()) continue;
        const fs::path name = entry.path().lexically_relative(folder);
        if (name != kManifestName) files.push_back(name);
    }
    std::sort(files.begin(), files.end());
    return files;
}

Json read_manifest(const fs::path& checkpoint) {
    const std::string text = read_text(checkpoint / kManifestName, kManifestBytesMax);
    Json json = Json::parse(text, nullptr, false);
    const bool is_good = json.is_object() && json.value("format", Json()) == kFormat &&
                         json.value("step", Json()).is_number_integer() &&
                         json.value("files", Json()).is_array();
    if (!is_good) {
        throw JobError("bad_checkpoint",
                       (checkpoint / kManifestName).string() + " is not a checkpoint's manifest");
    }
    return json;
}

/// A manifest comes from disk; a name that leaves the folder must not be followed.
bool is_inside(const fs::path& name) {
    return !name.empty() && name.is_relative() &&
           std::none_of(name.begin(), name.end(), [](const fs::path& part) { return part == ".."; });
}

std::optional<std::string> find_file_damage(const fs::path& checkpoint, const Json& row) {
    const std::string name = row.value("name", "");
    if (!is_inside(name)) return "its manifest names a file outside of it";
    const fs::path file = checkpoint / name;
    std::error_code error;
    const auto bytes = fs::file_size(file, error);
    if (error) return "file " + name + " is missing";
    const auto bytes_wanted = row.value("bytes", std::int64_t{-1});
    if (static_cast<std::int64_t>(bytes) != bytes_wanted) {
        return "file " + name + " has " + std::to_string(bytes) + " bytes, its manifest says " +
               std::to_string(bytes_wanted);
    }
    if (sha256_of_file(file) != row.value("sha256", ""))
        return "file " + name + " does not match its SHA-256";
    return std::nullopt;
}

}  // namespace

CheckpointStore::CheckpointStore(fs::path folder, fs::path data, AttemptId attempt)
    : folder_(std::move(folder)), data_(std::move(data)), attempt_(attempt) {}

Checkpoint CheckpointStore::commit(std::int64_t step, const std::function<void(const fs::path&)>& save) {
    const fs::path fresh = folder_ / kFreshName;
    fs::remove_all(fresh);
    fs::create_directories(fresh);
    save(fresh);
    return seal(fresh, step);
}

Checkpoint CheckpointStore::adopt(const fs::path& folder, std::int64_t step) {
    fs::remove(folder / kManifestName);
    return seal(folder, step);
}

Checkpoint CheckpointStore::seal(const fs::path& fresh, std::int64_t step) {
    crash_point("worker.checkpoint_saved");
    Checkpoint checkpoint;
    checkpoint.job = attempt_.job;
    checkpoint.attempt = attempt_.number;
    checkpoint.step = step;
    checkpoint.committed_at = wall_now();

    Json files = Json::array();
    for (const fs::path& name : list_files(fresh)) {
        sync_file(fresh / name);
        const auto bytes = static_cast<std::int64_t>(fs::file_size(fresh / name));
        checkpoint.bytes.value += bytes;
        files.push_back(
            {{"name", name.generic_string()}, {"bytes", bytes}, {"sha256", sha256_of_file(fresh / name)}});
    }
    for (const auto& entry : fs::recursive_directory_iterator(fresh)) {
        if (entry.is_directory() && !entry.is_symlink()) sync_folder(entry.path());
    }
    const Json manifest{{"format", kFormat},
                        {"job", attempt_.job.value},
                        {"attempt", attempt_.number},
                        {"step", step},
                        {"committed_at_ms", checkpoint.committed_at.value},
                        {"files", std::move(files)}};
    const std::string text = manifest.dump(1) + "\n";
    write_durably(fresh / kManifestName, text);
    checkpoint.sha256 = sha256_of(text);

    const std::vector<fs::path> earlier = list_checkpoints(folder_);
    const std::int64_t sequence = earlier.empty() ? 1 : sequence_of(earlier.back()) + 1;
    char name[64];
    std::snprintf(name, sizeof name, "%06lld-step-%lld", static_cast<long long>(sequence),
                  static_cast<long long>(step));
    const fs::path final = folder_ / name;
    fs::rename(fresh, final);
    sync_folder(folder_);
    crash_point("worker.checkpoint_renamed");
    forget_old();

    checkpoint.path = checkpoint_name(final, data_);
    return checkpoint;
}

void CheckpointStore::forget_old() {
    const std::vector<fs::path> all = list_checkpoints(folder_);
    for (std::size_t i = 0; i + kCheckpointsKept < all.size(); ++i) {
        std::error_code ignored;  // an old one that stays costs disk, nothing else
        fs::remove_all(all[i], ignored);
    }
}

std::optional<std::string> find_checkpoint_damage(const fs::path& checkpoint) {
    try {
        const Json manifest = read_manifest(checkpoint);
        for (const Json& row : manifest.at("files")) {
            if (!row.is_object()) return "its manifest lists something that is not a file";
            if (auto damage = find_file_damage(checkpoint, row)) return damage;
        }
    } catch (const std::exception& error) {
        return error.what();
    }
    return std::nullopt;
}

std::int64_t checkpoint_step(const fs::path& checkpoint) {
    return read_manifest(checkpoint).at("step").get<std::int64_t>();
}

std::string checkpoint_name(const fs::path& checkpoint, const fs::path& data) {
    const fs::path relative = checkpoint.lexically_relative(data);
    return is_inside(relative) ? relative.generic_string() : checkpoint.generic_string();
}

std::optional<fs::path> newest_checkpoint(const fs::path& folder) {
    const std::vector<fs::path> all = list_checkpoints(folder);
    if (all.empty()) return std::nullopt;
    return all.back();
}

std::optional<fs::path> find_whole_checkpoint(
    const fs::path& wanted, const std::function<void(const fs::path&, const std::string&)>& refused) {
    std::vector<fs::path> candidates{wanted};
    std::vector<fs::path> beside = list_checkpoints(wanted.parent_path());
    std::reverse(beside.begin(), beside.end());
    for (const fs::path& older : beside) {
        if (sequence_of(older) < sequence_of(wanted)) candidates.push_back(older);
    }
    for (const fs::path& attempt : attempts_before(wanted.parent_path().parent_path())) {
        const std::vector<fs::path> found = list_checkpoints(attempt / wanted.parent_path().filename());
        candidates.insert(candidates.end(), found.rbegin(), found.rend());
    }
    for (const fs::path& candidate : candidates) {
        const auto damage = find_checkpoint_damage(candidate);
        if (!damage) return candidate;
        refused(candidate, *damage);
    }
    return std::nullopt;
}

}  // namespace nightshift::jobs
