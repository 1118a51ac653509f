#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "scheduler/attempt.h"
#include "scheduler/job.h"
#include "scheduler/units.h"
#include "scheduler/wire.h"

namespace nightshift::jobs {

class CommandHost;

/// A failure whose words a person reads: what failed, on what, and what to do. `code` is a stable
/// snake_case key ("bad_bundle", "hash_mismatch"), stored in the job's outcome.
class JobError : public std::runtime_error {
  public:
    JobError(std::string code, const std::string& message)
        : std::runtime_error(message), code_(std::move(code)) {}
    const std::string& code() const { return code_; }

  private:
    std::string code_;
};

/// Thrown by JobContext::check() where the work has to stop: the runtime turns it into an exit code.
struct StopRequested {
    bool is_yield = false;   ///< true: a checkpoint was committed, exit 85; false: cancelled
};

/// Where a job may run. `auto` was already resolved.
enum class ComputeDevice { kCpu, kCuda };

/// What a job's code may use of its surroundings. One thread (the job's) calls it, but for
/// stop_requested(), which any thread may poll.
class JobContext {
  public:
    virtual ~JobContext() = default;

    virtual const std::filesystem::path& output() const = 0;       ///< artifacts go here
    virtual const std::filesystem::path& cache() const = 0;        ///< shared between jobs
    virtual ComputeDevice device() const = 0;
    virtual int threads() const = 0;
    virtual Bytes vram_budget() const = 0;                         ///< 0 = none given
    /// What each table may hold of its rows in memory; the others lie in a file below output().
    virtual Bytes row_memory() const { return mebibytes(128); }

    /// Reports progress: to the daemon (at most 5 a second are sent, the last of a phase always),
    /// to progress.jsonl (every one), to the terminal's bar when there is no daemon.
    virtual void progress(const Progress& progress) = 0;
    /// Memory this process claims on a simulated or host device.
    virtual void claim(Bytes used) = 0;
    /// A line for the job's log (stdout).
    virtual void log(std::string_view line) = 0;

    /// True once a yield or cancel was asked for. Cheap: one relaxed atomic load.
    virtual bool stop_requested() const = 0;
    /// Call where the state is consistent, between steps. Returns when nothing was asked for. On a
    /// cancel throws StopRequested{false}. On a yield calls `save` (when given) with an empty folder,
    /// commits it as a hashed checkpoint and throws StopRequested{true}; without `save` the job
    /// goes on (it starts over when its grace ends).
    using Save = std::function<void(const std::filesystem::path& folder)>;
    virtual void check(std::int64_t step, const Save& save) = 0;
    /// Commits a checkpoint now and goes on, also when that failed.
    virtual void checkpoint(std::int64_t step, const Save& save) = 0;
    /// Folder of the verified checkpoint to resume from, if any.
    virtual std::optional<std::filesystem::path> resume_from() const = 0;

    /// Resolves a dataset, table or model parameter: a path, or "job:ID" (the artifact of that type in
    /// the parent's output). Throws JobError("no_such_input") naming what is there instead.
    virtual std::filesystem::path input(std::string_view reference, std::string_view type) const = 0;
    /// Declares an artifact below output(); its hash and size go into result.json. Files that nobody
    /// declared are listed as type "file".
    virtual void artifact(const std::string& name, const std::string& type) = 0;
    /// Marks the outcome as answered from the cache.
    virtual void mark_cached() = 0;
    /// What kind `command` needs beyond this, see command_host.h; nullptr where there is none.
    virtual CommandHost* command_host() { return nullptr; }
};

/// One attempt of one kind.
class JobImpl {
  public:
    virtual ~JobImpl() = default;
    /// Does the work. Returns on success; throws JobError, StopRequested or any std::exception.
    virtual void run(JobContext& context) = 0;
};

/// One file or folder that a kind leaves, for README.txt beside it.
struct ArtifactNote {
    std::string name;    ///< "dataset/", "report.html"
    std::string en, ko;  ///< what it holds: columns, units, how to open it
};

/// A row of the kinds table.
struct Kind {
    std::string name;
    JobClass job_class = JobClass::kTraining;
    std::string summary_en, summary_ko;
    Bytes vram, ram;
    int cpu = 1;
    CheckpointMode checkpoint = CheckpointMode::kWorker;
    std::string estimate_param;                  ///< see api::KindInfo
    /// JSON Schema of params: {"type":"object","properties":{...},"required":[...]}. Each property has
    /// type, default, minimum/maximum/enum where they apply, "description" (English) and
    /// "x-ko" (Korean), "x-unit", "x-artifact" (dataset|table|model: accepts "job:ID").
    std::function<nlohmann::ordered_json()> schema;
    std::vector<ArtifactNote> artifacts;
    /// Parameters are checked against the schema and completed with its defaults before this is called.
    std::function<std::unique_ptr<JobImpl>(const nlohmann::json& params)> make;
};

/// The table of every kind this build has; jobs/runtime/registry.cpp is the place to add one.
const std::vector<Kind>& kinds();
const Kind* find_kind(std::string_view name);

/// Checks params against a kind's schema, fills in defaults. Throws JobError("unknown_param",
/// "bad_param", "missing_param") with the nearest known name.
nlohmann::json complete_params(const Kind& kind, const nlohmann::json& params);

}  // namespace nightshift::jobs
