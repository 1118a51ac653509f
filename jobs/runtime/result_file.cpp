#include "jobs/runtime/result_file.h"

#include <algorithm>

#include "jobs/runtime/durable_file.h"
#include "jobs/runtime/job_impl.h"
#include "jobs/runtime/sha256.h"
#include "jobs/runtime/written_hashes.h"

namespace nightshift::jobs {
namespace {

namespace fs = std::filesystem;

struct FileRow {
    std::string name;
    std::int64_t bytes = 0;
};

/// Regular files below `folder`, names relative to it, sorted. Hidden folders of the runtime are skipped.
std::vector<FileRow> list_files(const fs::path& folder) {
    std::vector<FileRow> files;
    std::error_code error;
    auto entry =
        fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied, error);
    for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
        if (entry->path().filename() == ".nightshift") entry.disable_recursion_pending();
        if (entry->is_symlink(error) || !entry->is_regular_file(error)) continue;
        files.push_back({entry->path().lexically_relative(folder).generic_string(),
                         static_cast<std::int64_t>(entry->file_size(error))});
    }
    std::sort(files.begin(), files.end(), [](const FileRow& a, const FileRow& b) { return a.name < b.name; });
    return files;
}

std::string without_slash(std::string name) {
    while (!name.empty() && name.back() == '/') name.pop_back();
    return name;
}

wire::Artifact describe_folder(const fs::path& output, const std::string& name, const std::string& type,
                               bool is_hashing) {
    wire::Artifact artifact{name, type, {}, ""};
    Sha256 listing;
    for (const FileRow& file : list_files(output / name)) {
        artifact.bytes.value += file.bytes;
        if (!is_hashing) continue;
        listing.update(file.name + " " + std::to_string(file.bytes) + " " +
                       written_hash_of_file(output / name / file.name) + "\n");
    }
    if (is_hashing) artifact.sha256 = listing.hex();
    return artifact;
}

}  // namespace

std::vector<wire::Artifact> list_artifacts(const fs::path& output,
                                           const std::vector<std::pair<std::string, std::string>>& declared,
                                           bool is_hashing) {
    std::vector<wire::Artifact> artifacts;
    std::vector<std::string> taken, folders;
    for (const auto& [declared_name, type] : declared) {
        const std::string name = without_slash(declared_name);
        std::error_code error;
        if (fs::is_directory(output / name, error)) {
            artifacts.push_back(describe_folder(output, name, type, is_hashing));
            folders.push_back(name + "/");
        } else if (fs::is_regular_file(output / name, error)) {
            const auto bytes = static_cast<std::int64_t>(fs::file_size(output / name));
            artifacts.push_back(
                {name, type, Bytes{bytes}, is_hashing ? written_hash_of_file(output / name) : ""});
            taken.push_back(name);
        }
    }
    for (const FileRow& file : list_files(output)) {
        if (artifacts.size() == kArtifactsMax) break;
        const bool is_declared = std::find(taken.begin(), taken.end(), file.name) != taken.end() ||
                                 std::any_of(folders.begin(), folders.end(), [&](const std::string& folder) {
                                     return file.name.starts_with(folder);
                                 });
        if (is_declared) continue;
        const bool has_hash = is_hashing && file.bytes <= kHashBytesMax;
        artifacts.push_back(
            {file.name, "file", Bytes{file.bytes}, has_hash ? written_hash_of_file(output / file.name) : ""});
    }
    return artifacts;
}

void reserve_result(const fs::path& folder) {
    reserve_durably(folder / kResultName, kResultRoom);
}

void write_result(const fs::path& folder, const wire::ResultFile& result) {
    write_durably(folder / kResultName, wire::encode(result));
}

wire::ResultFile read_result(const fs::path& folder) {
    const fs::path file = folder / kResultName;
    auto decoded = wire::decode_result_file(read_text(file, wire::kResultFileBytesMax));
    if (!decoded) throw JobError("bad_result", file.string() + ": " + decoded.error().message);
    return *std::move(decoded);
}

}  // namespace nightshift::jobs
