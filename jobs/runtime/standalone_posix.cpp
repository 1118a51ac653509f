#include <algorithm>
#include <cstdio>
#include <thread>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "jobs/runtime/attempt_run.h"
#include "jobs/runtime/clock.h"
#include "jobs/runtime/context.h"
#include "jobs/runtime/durable_file.h"
#include "jobs/runtime/guard.h"
#include "jobs/runtime/output_readme.h"
#include "jobs/runtime/output_reporter.h"
#include "jobs/runtime/result_file.h"
#include "kernels/device.h"

namespace nightshift::jobs {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kParamsBytesMax = 16 * 1024 * 1024;
constexpr Millis kKillPatience = seconds(5);

nlohmann::json read_params(const std::string& text) {
    const bool is_file = text.starts_with("@");
    const std::string json = is_file ? read_text(text.substr(1), kParamsBytesMax) : text;
    nlohmann::json params;
    try {
        params = nlohmann::json::parse(json);
    } catch (const nlohmann::json::parse_error& error) {
        throw JobError("bad_param", (is_file ? text.substr(1) : std::string("--params")) +
                                        " is not JSON: " + error.what());
    }
    return params;
}

ComputeDevice choose_device(const std::string& name) {
    if (name == "cpu") return ComputeDevice::kCpu;
    const bool has_cuda = kernels::cuda_available();
    if (name == "auto") return has_cuda ? ComputeDevice::kCuda : ComputeDevice::kCpu;
    if (!has_cuda) {
        throw JobError("no_cuda", std::string("--device cuda: ") + kernels::cuda_unavailable_reason() +
                                      "; use --device cpu");
    }
    return ComputeDevice::kCuda;
}

/// What --resume means: a checkpoint itself, or the output folder of a run that was interrupted.
fs::path find_resume(const fs::path& given) {
    if (fs::exists(given / kManifestName)) return given;
    for (const fs::path& folder : {given / ".nightshift" / "checkpoint", given / "checkpoint", given}) {
        if (const auto newest = newest_checkpoint(folder)) return *newest;
    }
    throw JobError("no_checkpoint", "there is no checkpoint in " + given.string() +
                                        "; give a checkpoint folder or the --out of an earlier run");
}

Surroundings surroundings_of(const StandaloneOptions& options) {
    Surroundings around;
    around.data = fs::absolute(options.out);
    around.output = around.data;
    around.state = around.data / ".nightshift";
    around.cache = around.state / "cache";
    around.base = fs::current_path();
    around.device = choose_device(options.device);
    const int all = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    around.threads = options.threads > 0 ? options.threads : all;
    if (!options.vram.empty()) {
        const auto vram = parse_bytes(options.vram);
        if (!vram) throw JobError("bad_param", "--vram: " + vram.error().message);
        around.vram = *vram;
    }
    around.is_command = options.kind == "command";
    around.command.argv = options.command;
    around.command.cwd = around.is_command ? fs::current_path().string() : "";
    around.command.checkpoint = CheckpointMode::kSignal;
    around.saves_on_interrupt = true;
    return around;
}

const Kind& require_kind(const std::string& name) {
    if (const Kind* kind = find_kind(name)) return *kind;
    std::string known;
    for (const Kind& kind : kinds()) known += (known.empty() ? "" : ", ") + kind.name;
    throw JobError("unknown_kind", "there is no kind '" + name + "'; this build has " + known);
}

void report_end(bool is_terminal, const StandaloneOptions& options, const wire::Done& done,
                const fs::path& state) {
    const wire::ResultFile result = read_result(state);
    if (!is_terminal) {
        nlohmann::ordered_json json{{"type", "result"},
                                    {"exit_code", done.exit_code.value_or(1)},
                                    {"error_code", done.error_code},
                                    {"message", done.message}};
        if (result.checkpoint) json["checkpoint"] = result.checkpoint->path;
        auto& artifacts = json["artifacts"] = nlohmann::ordered_json::array();
        for (const wire::Artifact& artifact : result.artifacts) {
            artifacts.push_back(
                {{"name", artifact.name}, {"type", artifact.type}, {"bytes", artifact.bytes.value}});
        }
        return write_line(json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    }
    if (done.exit_code == 0) {
        write_line("done in " + format_duration(done.ran) + (result.artifacts.empty() ? "" : ":"));
        for (const wire::Artifact& artifact : result.artifacts) {
            write_line("  " + options.out + "/" + artifact.name + "  " + format_bytes(artifact.bytes));
        }
    } else if (done.exit_code == 85) {
        write_line("stopped with a checkpoint; go on with --resume " + options.out);
    } else {
        write_line("failed (" + done.error_code + "): " + done.message);
    }
}

int run_checked(const StandaloneOptions& options, StopSignal& stop) {
    const Kind& kind = require_kind(options.kind);
    const nlohmann::json params = complete_params(kind, read_params(options.params));
    const UnixMs started_at = wall_now();
    const Millis steady_start = steady_now();
    const bool is_terminal = ::isatty(STDOUT_FILENO) == 1;
    wire::Done done;
    fs::path state;
    {
        TerminalReporter terminal;
        JsonReporter lines;
        Reporter& reporter = is_terminal ? static_cast<Reporter&>(terminal) : lines;
        Surroundings around = surroundings_of(options);
        around.resume = options.resume.empty() ? fs::path() : find_resume(options.resume);
        if (!around.resume.empty()) {
            if (const auto damage = find_checkpoint_damage(around.resume)) {
                throw JobError("bad_checkpoint",
                               "checkpoint " + around.resume.string() + ": " + *damage +
                                   "; name the older one beside it, or start without --resume");
            }
        }
        state = around.state;
        Context context(std::move(around), reporter, stop);
        done = context.run([&] { return make_documented_job(kind, params); });
        kill_descendants(kKillPatience);
        done.ran = steady_now() - steady_start;
        context.leave_result(done, started_at);
    }
    report_end(is_terminal, options, done, state);
    if (done.signal) return 128 + *done.signal;
    return done.exit_code.value_or(1);
}

}  // namespace

int run_standalone(const StandaloneOptions& options) {
    guard_process();
    auto* stop = new StopSignal;  // leaked on purpose: a signal may come until the very end
    route_signals(*stop, StopLevel::kYield);
    try {
        return run_checked(options, *stop);
    } catch (const JobError& error) {
        std::fprintf(stderr, "nightshift-worker: %s\n", error.what());
        return error.code() == "unknown_kind" || error.code() == "unknown_param" ||
                       error.code() == "bad_param" || error.code() == "missing_param"
                   ? kExitUsage
                   : 1;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "nightshift-worker: %s\n", error.what());
        return 1;
    }
}

}  // namespace nightshift::jobs
