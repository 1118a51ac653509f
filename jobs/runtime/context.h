#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "jobs/runtime/checkpoint.h"
#include "jobs/runtime/command_host.h"
#include "jobs/runtime/job_impl.h"
#include "jobs/runtime/progress_log.h"

namespace nightshift::jobs {

/// Where the context's news go: the daemon, a terminal or a pipe. The job's thread only.
class Reporter {
  public:
    virtual ~Reporter() = default;
    virtual void started(const wire::Started& started) = 0;
    virtual void progress(const Progress& progress) = 0;
    virtual void memory(const wire::MemoryReport& report) = 0;
    virtual void checkpoint(const Checkpoint& checkpoint) = 0;
    /// Its reason is in the log already.
    virtual void refused(const wire::CheckpointRefused&) {}
    virtual void log(std::string_view line) = 0;
};

/// Everything an attempt was told; the same under the daemon and without one.
struct Surroundings {
    AttemptId attempt;
    std::filesystem::path data;  ///< checkpoint paths are relative to it
    std::filesystem::path output;
    std::filesystem::path state;  ///< progress.jsonl, checkpoint/, result.json
    std::filesystem::path cache;
    std::filesystem::path base;    ///< relative inputs start here
    std::filesystem::path resume;  ///< whole checkpoint to go on from; empty = none
    std::vector<wire::Input> inputs;
    ComputeDevice device = ComputeDevice::kCpu;
    std::string device_uuid;  ///< what CUDA may see; empty = nothing
    Bytes vram;
    int threads = 1;
    CommandLine command;  ///< kind command only
    bool is_command = false;
    /// Without a daemon an interrupt saves a checkpoint where the job can, and ends it where it cannot.
    bool saves_on_interrupt = false;
};

/// JobContext over a Reporter and an attempt folder. The job's thread only, but for stop_requested().
class Context final : public JobContext, public CommandHost {
  public:
    /// Makes the folders. Throws JobError when the disk refuses.
    Context(Surroundings surroundings, Reporter& reporter, StopSignal& stop);

    const std::filesystem::path& output() const override { return around_.output; }
    const std::filesystem::path& cache() const override { return around_.cache; }
    ComputeDevice device() const override { return around_.device; }
    int threads() const override { return around_.threads; }
    Bytes vram_budget() const override { return around_.vram; }
    void progress(const Progress& progress) override;
    void claim(Bytes used) override;
    void log(std::string_view line) override { reporter_.log(line); }
    bool stop_requested() const override { return stop_.level() != StopLevel::kNone; }
    void check(std::int64_t step, const Save& save) override;
    void checkpoint(std::int64_t step, const Save& save) override;
    std::optional<std::filesystem::path> resume_from() const override;
    std::filesystem::path input(std::string_view reference, std::string_view type) const override;
    void artifact(const std::string& name, const std::string& type) override;
    void mark_cached() override { is_cached_ = true; }
    CommandHost* command_host() override { return this; }

    const CommandLine& command_line() const override { return around_.command; }
    std::vector<std::pair<std::string, std::string>> contract_env() const override;
    StopSignal& stop() override { return stop_; }
    void command_started(const ProcessIdentity& command) override;
    void command_ended(std::optional<int> exit_code, std::optional<int> signal) override;
    std::filesystem::path progress_file() const override { return around_.state / "command-progress.jsonl"; }
    /// For a command that is never asked to save it is one folder to make instead of two.
    std::filesystem::path save_folder() const override {
        const bool can_save = around_.command.checkpoint != CheckpointMode::kNone;
        return can_save ? store_.folder() / "work.tmp" : around_.state / "checkpoint.tmp";
    }
    bool commit_saved() override;

    /// Makes the job and runs it to its end, whatever that is, and says how it ended. Never throws.
    wire::Done run(const std::function<std::unique_ptr<JobImpl>()>& make);
    /// Writes result.json. Throws JobError when even that is impossible.
    void leave_result(const wire::Done& done, UnixMs started_at) const;
    /// Finds the checkpoint to go on from: `wanted`, or an older whole one beside it.
    void choose_checkpoint(const std::filesystem::path& wanted);
    const std::optional<Checkpoint>& last_checkpoint() const { return last_checkpoint_; }
    const Surroundings& surroundings() const { return around_; }

  private:
    void commit(std::int64_t step, const Save& save);
    void prepare_save_folder() const;
    wire::Done done_of_command() const;
    /// The command failed, and said that it was for want of GPU memory.
    bool is_out_of_memory() const;
    EnforcementGrade grade() const;

    Surroundings around_;
    Reporter& reporter_;
    StopSignal& stop_;
    CheckpointStore store_;
    ProgressLog progress_log_;
    std::optional<Checkpoint> last_checkpoint_;
    std::vector<std::pair<std::string, std::string>> declared_;
    Bytes used_, peak_;
    bool is_cached_ = false;
    bool is_saving_well_ = true;  ///< the newest checkpoint between steps was written
    bool is_command_over_ = false;
    std::optional<int> exit_code_, signal_;
    std::int64_t step_ = 0;
    // Of the phase at hand, for the estimate of its end.
    std::optional<std::string> phase_;
    std::int64_t phase_step_ = 0;
    Millis phase_since_{};
};

}  // namespace nightshift::jobs
