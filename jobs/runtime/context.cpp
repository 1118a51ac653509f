#include "jobs/runtime/context.h"

#include <csignal>
#include <cstring>
#include <new>

#include "jobs/runtime/clock.h"
#include "jobs/runtime/memory_words.h"
#include "jobs/runtime/reference.h"
#include "jobs/runtime/result_file.h"
#include "kernels/error.h"

namespace nightshift::jobs {
namespace {

namespace fs = std::filesystem;

constexpr int kExitFailed = 1;
constexpr int kExitTryAgain = 75;
constexpr int kExitYielded = 85;
constexpr int kExitOutOfMemory = 86;

wire::Done failed(int exit_code, std::string code, std::string message) {
    wire::Done done;
    done.exit_code = exit_code;
    done.error_code = std::move(code);
    done.message = std::move(message);
    return done;
}

/// The daemon lets a job that had to leave and could not save go on from its checkpoint before that.
JobError unsaved(const std::exception& error) {
    return {"checkpoint_failed", std::string("asked to leave, and could not save: ") + error.what()};
}

}  // namespace

Context::Context(Surroundings surroundings, Reporter& reporter, StopSignal& stop)
    : around_((fs::create_directories(surroundings.output), fs::create_directories(surroundings.state),
               std::move(surroundings))),
      reporter_(reporter),
      stop_(stop),
      store_(around_.state / "checkpoint", around_.data, around_.attempt),
      progress_log_(around_.state / "progress.jsonl") {}

void Context::choose_checkpoint(const fs::path& wanted) {
    const auto found = find_whole_checkpoint(wanted, [this](const fs::path& damaged, const std::string& why) {
        log("checkpoint " + damaged.filename().string() + " refused: " + why);
        reporter_.refused({checkpoint_name(damaged, around_.data), why});
    });
    around_.resume = found.value_or(fs::path());
    if (!found) return log("no whole checkpoint is left; the job starts over");
    log("goes on from checkpoint " + found->filename().string());
}

void Context::progress(const Progress& given) {
    Progress report = given;
    step_ = report.step;
    const Millis now = steady_now();
    if (phase_ != report.phase || report.step < phase_step_) {
        phase_ = report.phase;
        phase_step_ = report.step;
        phase_since_ = now;
    }
    const std::int64_t made = report.step - phase_step_;
    if (!report.eta && made > 0 && report.steps >= report.step) {
        const double each_ms = static_cast<double>((now - phase_since_).value) / static_cast<double>(made);
        report.eta =
            Millis{static_cast<std::int64_t>(each_ms * static_cast<double>(report.steps - report.step))};
    }
    if (report.metrics.size() > wire::kWireMetricsMax) report.metrics.resize(wire::kWireMetricsMax);
    progress_log_.append(report, wall_now());
    reporter_.progress(report);
}

void Context::claim(Bytes used) {
    used_ = used;
    if (used > peak_) peak_ = used;
    reporter_.memory({used_, peak_});
}

void Context::commit(std::int64_t step, const Save& save) {
    last_checkpoint_ = store_.commit(step, save);
    reporter_.checkpoint(*last_checkpoint_);
}

void Context::checkpoint(std::int64_t step, const Save& save) {
    // Hours of work are not thrown away because they could not be saved this time: the one before stays.
    try {
        commit(step, save);
        is_saving_well_ = true;
    } catch (const std::exception& error) {
        const std::string what = error.what();
        if (is_saving_well_) log("checkpoint at step " + std::to_string(step) + " not saved: " + what);
        is_saving_well_ = false;
    }
}

void Context::check(std::int64_t step, const Save& save) {
    const StopLevel level = stop_.level();
    if (level == StopLevel::kNone) return;
    if (level == StopLevel::kCancel) throw StopRequested{false};
    if (save) {
        try {
            commit(step, save);
        } catch (const std::exception& error) {
            throw unsaved(error);
        }
        throw StopRequested{true};
    }
    if (around_.saves_on_interrupt) throw StopRequested{false};
}

std::optional<fs::path> Context::resume_from() const {
    if (around_.resume.empty()) return std::nullopt;
    return around_.resume;
}

fs::path Context::input(std::string_view reference, std::string_view type) const {
    return resolve_reference(reference, type, around_.inputs, around_.base);
}

void Context::artifact(const std::string& name, const std::string& type) {
    declared_.emplace_back(name, type);
}

// --- kind command -------------------------------------------------------------------------------

std::vector<std::pair<std::string, std::string>> Context::contract_env() const {
    return {{"NIGHTSHIFT_JOB_ID", std::to_string(around_.attempt.job.value)},
            {"NIGHTSHIFT_ATTEMPT", std::to_string(around_.attempt.number)},
            {"NIGHTSHIFT_OUTPUT", around_.output.string()},
            {"NIGHTSHIFT_CHECKPOINT_DIR", save_folder().string()},
            {"NIGHTSHIFT_PROGRESS", progress_file().string()},
            {"NIGHTSHIFT_VRAM_BYTES", std::to_string(around_.vram.value)},
            {"CUDA_VISIBLE_DEVICES", around_.device_uuid}};
}

void Context::command_started(const ProcessIdentity& command) {
    reporter_.started({command, grade(), {}});
    // Beside the program's first instructions instead of before them. It runs already, so a disk that is
    // full to its last inode is told and no more.
    try {
        reserve_result(around_.state);
    } catch (const JobError& error) {
        log(std::string("nightshift: no room is kept back for the result: ") + error.what());
    }
}

EnforcementGrade Context::grade() const {
    return around_.vram.value > 0 ? EnforcementGrade::kWatchdog : EnforcementGrade::kNone;
}

void Context::command_ended(std::optional<int> exit_code, std::optional<int> signal) {
    is_command_over_ = true;
    exit_code_ = exit_code;
    signal_ = signal;
}

void Context::prepare_save_folder() const {
    fs::remove_all(save_folder());
    fs::create_directories(save_folder());
    if (around_.resume.empty()) return;
    for (const auto& entry : fs::directory_iterator(around_.resume)) {
        if (entry.path().filename() == kManifestName) continue;
        fs::copy(entry.path(), save_folder() / entry.path().filename(), fs::copy_options::recursive);
    }
}

bool Context::commit_saved() {
    std::error_code error;
    if (fs::is_empty(save_folder(), error) || error) return false;
    try {
        last_checkpoint_ = store_.adopt(save_folder(), step_);
    } catch (const std::exception& failure) {
        throw unsaved(failure);
    }
    reporter_.checkpoint(*last_checkpoint_);
    return true;
}

bool Context::is_out_of_memory() const {
    if (around_.vram.value == 0 || exit_code_ == 0 || exit_code_ == kExitYielded) return false;
    return exit_code_ == kExitOutOfMemory || log_says_out_of_gpu_memory(around_.state / "stdout.log");
}

wire::Done Context::done_of_command() const {
    wire::Done done;
    done.exit_code = exit_code_;
    done.signal = signal_;
    if (signal_ == SIGABRT && is_out_of_memory()) {
        done.error_code = "out_of_memory";
        done.message = "the command ran out of GPU memory and gave up; its last words are in the log";
    } else if (signal_) {
        const char* name = ::strsignal(*signal_);
        done.error_code = "signal";
        done.message = "the command was ended by signal " + std::to_string(*signal_) + " (" +
                       (name != nullptr ? name : "unknown") + ")";
    } else if (exit_code_ == kExitTryAgain) {
        done.error_code = "try_again";
        done.message = "the command asks to be tried again (exit code 75)";
    } else if (exit_code_ == kExitYielded && !last_checkpoint_) {
        done.error_code = "no_checkpoint";
        done.message =
            "the command ended with exit code 85, but it was not asked to yield or left nothing in "
            "NIGHTSHIFT_CHECKPOINT_DIR";
    } else if (is_out_of_memory()) {
        done.error_code = "out_of_memory";
        done.message = "the command ran out of GPU memory (exit code " + std::to_string(*exit_code_) +
                       "); its last words are in the log";
    } else if (exit_code_ != 0 && exit_code_ != kExitYielded) {
        done.error_code = "exit_code";
        done.message = "the command ended with exit code " + std::to_string(exit_code_.value_or(0)) +
                       "; its last words are in the log";
    }
    if (stop_.level() == StopLevel::kCancel && (signal_ || exit_code_ != 0)) {
        done.error_code = "cancelled";
        done.message = "cancelled" + (stop_.reason().empty() ? "" : ": " + stop_.reason());
    }
    return done;
}

// --- to the end -----------------------------------------------------------------------------------

wire::Done Context::run(const std::function<std::unique_ptr<JobImpl>()>& make) {
    wire::Done done;
    try {
        const std::unique_ptr<JobImpl> job = make();
        if (around_.is_command) {
            prepare_save_folder();
        } else {
            reserve_result(around_.state);
            reporter_.started({std::nullopt, grade(), {}});
        }
        // Where the driver does not show what a process uses, the budget counts as used.
        if (around_.device == ComputeDevice::kCpu && around_.vram.value > 0) claim(around_.vram);
        job->run(*this);
        done = is_command_over_ ? done_of_command() : failed(0, "", "");
    } catch (const StopRequested& request) {
        done = request.is_yield ? failed(kExitYielded, "", "")
                                : failed(kExitFailed, "cancelled", "cancelled " + stop_.reason());
    } catch (const JobError& error) {
        done = failed(error.code() == "try_again" ? kExitTryAgain : kExitFailed, error.code(), error.what());
    } catch (const kernels::OverBudget& error) {
        done = failed(kExitFailed, "out_of_memory", error.what());
    } catch (const std::bad_alloc&) {
        // Beside a GPU that is not the memory that the budget is about.
        const bool is_on_gpu = around_.device == ComputeDevice::kCuda;
        done = failed(kExitFailed, is_on_gpu ? "out_of_ram" : "out_of_memory",
                      is_on_gpu ? "the job ran out of RAM; give it smaller batches or run less beside it"
                                : "the job ran out of memory; give it a larger budget or smaller batches");
    } catch (const std::exception& error) {
        const bool is_out_of_memory = says_out_of_gpu_memory(error.what());
        done = failed(kExitFailed, is_out_of_memory ? "out_of_memory" : "exception", error.what());
    } catch (...) {
        done = failed(kExitFailed, "exception", "the job threw something that is not an exception");
    }
    if (around_.is_command) {
        std::error_code ignored;  // what was not committed is worth nothing
        fs::remove_all(save_folder(), ignored);
    }
    done.cached = is_cached_;
    return done;
}

void Context::leave_result(const wire::Done& done, UnixMs started_at) const {
    wire::ResultFile result;
    result.attempt = around_.attempt;
    result.done = done;
    result.checkpoint = last_checkpoint_;
    result.artifacts = list_artifacts(around_.output, declared_, done.exit_code == 0);
    result.peak_vram = peak_;
    result.started_at = started_at;
    result.ended_at = wall_now();
    write_result(around_.state, result);
}

}  // namespace nightshift::jobs
