#include "jobs/runtime/reference.h"

#include <charconv>
#include <optional>
#include <string>

#include "jobs/runtime/job_impl.h"
#include "jobs/runtime/result_file.h"

namespace nightshift::jobs {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kNamesShown = 8;

std::string describe(const std::vector<wire::Artifact>& artifacts) {
    if (artifacts.empty()) return "it left nothing";
    std::string text = "it left ";
    for (std::size_t i = 0; i < artifacts.size() && i < kNamesShown; ++i) {
        if (i > 0) text += ", ";
        text += artifacts[i].name + " (" + artifacts[i].type + ")";
    }
    if (artifacts.size() > kNamesShown)
        text += " and " + std::to_string(artifacts.size() - kNamesShown) + " more";
    return text;
}

bool is_table(const std::string& name) {
    const std::string extension = fs::path(name).extension().string();
    return extension == ".feather" || extension == ".parquet" || extension == ".csv";
}

/// A user's own program declares nothing: a folder named after the type, or its only table, will do.
std::optional<fs::path> guess_artifact(const wire::ResultFile& result, const fs::path& output,
                                       std::string_view type) {
    if (type != "table") {
        const fs::path folder = output / type;
        return fs::is_directory(folder) ? std::optional(folder) : std::nullopt;
    }
    std::optional<fs::path> found;
    for (const wire::Artifact& artifact : result.artifacts) {
        if (artifact.type != "file" || !is_table(artifact.name)) continue;
        if (found) return std::nullopt;
        found = output / artifact.name;
    }
    return found;
}

fs::path find_artifact(const std::string& whose, const wire::ResultFile& result, const fs::path& output,
                       std::string_view type) {
    for (const wire::Artifact& artifact : result.artifacts) {
        if (artifact.type != type) continue;
        const fs::path path = output / artifact.name;
        if (!fs::exists(path)) {
            throw JobError("no_such_input", whose + " recorded " + artifact.name + ", but " + path.string() +
                                                " is gone; run " + whose + " again");
        }
        return path;
    }
    if (const auto guess = guess_artifact(result, output, type)) return *guess;
    throw JobError("no_such_input", whose + " has no " + std::string(type) + ": " +
                                        describe(result.artifacts) + ". Name a job that makes a " +
                                        std::string(type) + ", or give a path");
}

fs::path resolve_job(std::string_view reference, std::string_view type,
                     const std::vector<wire::Input>& inputs) {
    const std::string_view digits = reference.substr(4);
    std::int64_t id = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), id);
    if (error != std::errc() || end != digits.data() + digits.size() || id <= 0) {
        throw JobError("no_such_input", "'" + std::string(reference) + "' is not of the form job:12");
    }
    for (const wire::Input& input : inputs) {
        if (input.job.value != id) continue;
        const fs::path folder(input.folder);
        return find_artifact("job " + std::to_string(id), read_result(folder), folder / "output", type);
    }
    throw JobError("no_such_input",
                   "job " + std::to_string(id) +
                       " was not handed to this attempt; without a daemon give the path of its "
                       "output instead of " +
                       std::string(reference));
}

}  // namespace

fs::path resolve_reference(std::string_view reference, std::string_view type,
                           const std::vector<wire::Input>& inputs, const fs::path& base) {
    if (reference.starts_with("job:")) return resolve_job(reference, type, inputs);
    if (reference.empty()) {
        throw JobError("no_such_input", "no " + std::string(type) + " was given; use a path or job:ID");
    }
    const fs::path path = base / fs::path(reference);
    std::error_code error;
    if (!fs::exists(path, error)) {
        throw JobError("no_such_input", "there is no " + std::string(type) + " at " + path.string() +
                                            "; check the path, or use job:ID");
    }
    // A folder written by `nightshift-worker run` may be given whole.
    if (fs::exists(path / ".nightshift" / kResultName, error)) {
        return find_artifact(path.string(), read_result(path / ".nightshift"), path, type);
    }
    return path;
}

}  // namespace nightshift::jobs
