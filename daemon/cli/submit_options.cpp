#include "daemon/cli/submit_options.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <nlohmann/json.hpp>

#include "daemon/cli/failure.h"

namespace nightshift::cli {

using nlohmann::json;

namespace {

std::pair<std::string, std::string> key_and_value(const std::string& text, const char* option) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
        throw Failure(kExitUsage, "'" + text + "' is not KEY=VALUE",
                      std::string("Write it as ") + option + " KEY=VALUE.");
    }
    return {text.substr(0, equals), text.substr(equals + 1)};
}

/// "12", "12:any", Slurm's "afterok:12:13", "afterany:12", "afternotok:12".
void add_dependencies(const std::string& text, json& after) {
    static const std::vector<std::pair<std::string, std::string>> slurm = {
        {"afterok:", "success"}, {"afterany:", "any"}, {"afternotok:", "failure"}};
    std::string ids = text, kind;
    for (const auto& [prefix, name] : slurm) {
        if (text.starts_with(prefix)) ids = text.substr(prefix.size()), kind = name;
    }
    if (kind.empty()) {
        kind = "success";
        if (const std::size_t colon = text.find(':'); colon != std::string::npos) {
            kind = text.substr(colon + 1);
            ids = text.substr(0, colon);
        }
    }
    do {
        const std::string id = ids.substr(0, ids.find(':'));
        ids.erase(0, id.size() + 1);
        std::int64_t number = 0;
        const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
        if (error != std::errc() || end != id.data() + id.size()) {
            throw Failure(kExitUsage, "'" + text + "' names no job",
                          "Write --after 12, --after 12:any or --after 12:failure.");
        }
        after.push_back({{"job", number}, {"on", kind}});
    } while (!ids.empty());
}

}  // namespace

void add_submit_options(CLI::App& verb, SubmitOptions& options) {
    verb.add_option("-n,--name,--job-name", options.name, "a name for people");
    verb.add_option("--class,--partition", options.job_class, "inference, training, evaluation or synthesis");
    verb.add_option("--vram", options.vram, "GPU memory it may use: 3GiB (0 = no GPU)");
    verb.add_option("--ram,--mem", options.ram, "main memory it may use");
    verb.add_option("--cpu,--cpus-per-task", options.cpu, "processor slots");
    verb.add_option("--gpu", options.gpu, "index or UUID, where there are several");
    verb.add_option("--priority", options.priority, "-100 to 100, higher goes first within its class");
    verb.add_option("--window", options.window, "calendar window of the policy: night");
    verb.add_option("--begin,--not-before", options.not_before,
                    "start no earlier: 22:00 or 2026-11-21T22:00:00Z");
    verb.add_option("--start-deadline,--deadline", options.start_deadline, "expire when not started by then");
    verb.add_option("--time,--time-limit", options.time_limit, "longest run time: 7h");
    verb.add_option("--after,--dependency", options.after, "wait for a job: 12, 12:any, 12:failure")
        ->delimiter(',');
    verb.add_option("--retries", options.retries, "try again after a failure, 0 to 100 times");
    verb.add_flag_callback(
        "--requeue", [&options] { options.retries = options.retries.value_or(1); }, "as --retries 1");
    verb.add_flag_callback(
        "--preemptible", [&options] { options.is_preemptible = true; }, "may make way and go on later");
    verb.add_flag_callback(
        "--no-preemptible", [&options] { options.is_preemptible = false; }, "never makes way");
    verb.add_option("--checkpoint", options.checkpoint, "worker, signal or none: how it saves its state");
    verb.add_option("--cwd,--chdir", options.cwd, "folder to run in (default: here)");
    verb.add_option("--env", options.env, "KEY=VALUE for its environment");
    verb.add_option("--label", options.labels, "KEY=VALUE to find it by");
    verb.add_flag("--hold", options.hold, "wait until released");
}

void add_fields(const SubmitOptions& options, json& body) {
    const auto put = [&body](const char* key, const std::string& value) {
        if (!value.empty()) body[key] = value;
    };
    put("name", options.name);
    put("class", options.job_class);
    put("window", options.window);
    put("not_before", options.not_before);
    put("start_deadline", options.start_deadline);
    put("time_limit", options.time_limit);
    put("checkpoint", options.checkpoint);
    put("cwd", options.cwd);
    // Bare numbers are bytes, and an index is a number.
    const auto put_number_or_text = [&body](const char* key, const std::string& value) {
        if (value.empty()) return;
        const bool is_number =
            value.find_first_not_of("0123456789") == std::string::npos && value.size() < 19;
        body[key] = is_number ? json(std::stoll(value)) : json(value);
    };
    put_number_or_text("vram", options.vram);
    put_number_or_text("ram", options.ram);
    put_number_or_text("gpu", options.gpu);
    if (options.cpu) body["cpu"] = *options.cpu;
    if (options.priority) body["priority"] = *options.priority;
    if (options.retries) body["retries"] = *options.retries;
    if (options.is_preemptible) body["preemptible"] = *options.is_preemptible;
    if (options.hold) body["hold"] = true;
    if (!options.after.empty()) {
        json after = body.contains("after") ? body["after"] : json::array();
        for (const std::string& text : options.after) add_dependencies(text, after);
        body["after"] = after;
    }
    for (const std::string& text : options.labels) {
        const auto [key, value] = key_and_value(text, "--label");
        body["labels"][key] = value;
    }
    for (const std::string& text : options.env) {
        const auto [key, value] = key_and_value(text, "--env");
        body["env"][key] = value;
    }
}

void add_param(const std::string& text, json& params) {
    const auto [path, value] = key_and_value(text, "-p");
    json* place = &params;
    std::size_t start = 0;
    for (std::size_t dot = path.find('.'); dot != std::string::npos; dot = path.find('.', start)) {
        place = &(*place)[path.substr(start, dot - start)];
        if (!place->is_object() && !place->is_null()) {
            throw Failure(kExitUsage, "'" + text + "' sets a field of something that is no object",
                          "Give each parameter once.");
        }
        start = dot + 1;
    }
    json parsed = json::parse(value, nullptr, false);
    (*place)[path.substr(start)] = parsed.is_discarded() ? json(value) : parsed;
}

}  // namespace nightshift::cli
