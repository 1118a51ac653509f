#include <cstdint>
#include <cstdio>
#include <stdexcept>

#include <CLI/CLI.hpp>

#include "jobs/runtime/attempt_run.h"
#include "kernels/cpu_variant.h"

namespace {

/// Before any thread needs it: a NIGHTSHIFT_CPU that this machine cannot run ends the worker in words.
bool has_usable_cpu_variant() {
    try {
        nightshift::kernels::cpu_variant();
        return true;
    } catch (const std::runtime_error& error) {
        std::fprintf(stderr, "nightshift-worker: %s\n", error.what());
        return false;
    }
}

}  // namespace

/// Three uses: `attempt` (started by nightshiftd), `run` (by a person) and `kinds` (both).
int main(int argc, char** argv) {
    using namespace nightshift::jobs;
    CLI::App app{"Runs one attempt of one job."};
    app.require_subcommand(1);

    CLI::App* attempt =
        app.add_subcommand("attempt", "one attempt under the daemon; nightshiftd starts this");
    std::int64_t job = 0;
    int number = 0;
    // Only for people and tests that look at the process list; what counts comes from the environment.
    attempt->add_option("--job", job, "id of the job, for the process list");
    attempt->add_option("--attempt", number, "number of the attempt, for the process list");

    StandaloneOptions options;
    CLI::App* run = app.add_subcommand("run", "one job without a daemon, artifacts in --out");
    run->add_option("kind", options.kind, "see `nightshift-worker kinds`")->required();
    run->add_option("--params", options.params, "JSON object, or @FILE");
    run->add_option("--out", options.out, "folder for the artifacts")->required();
    run->add_option("--device", options.device, "auto, cpu or cuda")
        ->check(CLI::IsMember({"auto", "cpu", "cuda"}));
    run->add_option("--threads", options.threads, "CPU threads; 0 = all")->check(CLI::Range(0, 1024));
    run->add_option("--resume", options.resume, "a checkpoint, or the --out of an interrupted run");
    run->add_option("--vram", options.vram, "memory budget, e.g. 3GiB");
    run->add_option("command", options.command, "kind command: the program and its arguments, after --");

    bool is_json = false;
    CLI::App* kinds = app.add_subcommand("kinds", "what this build can run, with every parameter");
    kinds->add_flag("--json", is_json, "as JSON with the parameters' schemas");

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : kExitUsage;
    }
    if (!kinds->parsed() && !has_usable_cpu_variant()) return kExitUsage;
    if (attempt->parsed()) return run_attempt();
    if (run->parsed()) return run_standalone(options);
    const std::string text = list_kinds(is_json);
    return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
}
