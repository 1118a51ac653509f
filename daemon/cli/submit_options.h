#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace nightshift::cli {

/// The fields of a submit as options; empty means that the daemon's default holds.
struct SubmitOptions {
    std::string name, job_class, vram, ram, gpu, window, not_before, start_deadline, time_limit, checkpoint,
        cwd;
    std::optional<int> cpu, priority, retries;
    std::optional<bool> is_preemptible;
    bool hold = false;
    std::vector<std::string> after;        ///< "12", "12:any", "afterok:12"
    std::vector<std::string> labels, env;  ///< KEY=VALUE
};

/// Adds the options to a verb. Slurm's names for the same things are understood too. `options` must
/// outlive the app.
void add_submit_options(CLI::App& verb, SubmitOptions& options);

/// Writes what was given into a submit body. Throws Failure with kExitUsage.
void add_fields(const SubmitOptions& options, nlohmann::json& body);

/// "seed=7" -> {"seed": 7}, "preset=small" -> {"preset": "small"}, "a.b=1" -> {"a": {"b": 1}}. Values are
/// JSON when they parse as JSON, text otherwise. Throws Failure with kExitUsage.
void add_param(const std::string& text, nlohmann::json& params);

}  // namespace nightshift::cli
