#include "daemon/config.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "daemon/paths.h"
#include "daemon/version.h"
#include "scheduler/crash_point.h"

namespace nightshift::daemon {

namespace {

/// "127.0.0.1:7390", "[::1]:7390", ":7390", "7390".
bool read_listen(const std::string& text, Config& config) {
    std::string_view port = text;
    const std::size_t colon = text.rfind(':');
    if (colon != std::string::npos) {
        std::string host = text.substr(0, colon);
        if (host.size() > 2 && host.front() == '[' && host.back() == ']')
            host = host.substr(1, host.size() - 2);
        if (host == "localhost") host = "127.0.0.1";
        if (!host.empty()) config.address = host;
        port.remove_prefix(colon + 1);
    }
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), config.port);
    return error == std::errc() && end == port.data() + port.size();
}

void find_workers(Config& config) {
    // A worker that somebody names runs every kind.
    if (const char* path = std::getenv("NIGHTSHIFT_WORKER"); path != nullptr && *path != '\0') {
        config.worker_path = config.command_path = absolute_path(path);
        return;
    }
    config.worker_path = program_folder() + "/nightshift-worker";
    const std::string smaller = program_folder() + "/nightshift-command";
    std::error_code ignored;
    const bool is_there = std::filesystem::is_regular_file(smaller, ignored);
    config.command_path = is_there ? smaller : config.worker_path;
}

ParsedConfig refused(const std::string& text) {
    ParsedConfig parsed;
    parsed.exit_code = kExitUsage;
    parsed.text = text;
    return parsed;
}

}  // namespace

ParsedConfig parse_config(int argc, const char* const* argv) {
    ParsedConfig parsed;
    Config& config = parsed.config;
    std::string listen = "127.0.0.1:7390", socket = "none", simulate;
    CLI::App app("nightshiftd: queues jobs and runs them on this machine's GPU", "nightshiftd");
    app.set_version_flag("--version", std::string("nightshiftd ") + kVersion);
    app.add_option("--data", config.data_folder, "data folder")->envname("NIGHTSHIFT_DATA")->type_name("DIR");
    app.add_option("--listen", listen, "loopback address and port; port 0 picks a free one")
        ->envname("NIGHTSHIFT_LISTEN")
        ->type_name("HOST:PORT")
        ->capture_default_str();
    app.add_option("--socket", socket, "Unix socket beside TCP, or none")
        ->envname("NIGHTSHIFT_SOCKET")
        ->type_name("PATH")
        ->capture_default_str();
    app.add_option("--policy", config.policy_file, "policy to put in force at this start")
        ->envname("NIGHTSHIFT_POLICY")
        ->type_name("FILE");
    app.add_option("--simulate", simulate, "fake GPUs: gpu=8GiB[,gpu=12GiB][,foreign=1GiB@10s-60s][,temp=70]")
        ->envname("NIGHTSHIFT_SIMULATE")
        ->type_name("SPEC");
    app.add_option("--log-level", config.log_level, "error, warn, info or debug")
        ->envname("NIGHTSHIFT_LOG_LEVEL")
        ->check(CLI::IsMember({"error", "warn", "info", "debug"}))
        ->capture_default_str();
    app.add_option("--web-root", config.web_root, "serve the dashboard from this folder")
        ->envname("NIGHTSHIFT_WEB_ROOT")
        ->type_name("DIR");
    bool lists_crash_points = false;
    app.add_flag("--crash-points", lists_crash_points, "print where tests may end it, and exit")
        ->group("Tests");
    app.add_option("--restore", config.restore_file, "put this backup in the place of the database, then end")
        ->type_name("FILE");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        std::ostringstream out;
        const int code = app.exit(error, out, out);
        parsed.exit_code = code == 0 ? kExitOk : kExitUsage;
        parsed.text = out.str();
        return parsed;
    }
    if (lists_crash_points) {
        parsed.exit_code = kExitOk;
        for (const std::string_view name : kCrashPoints) parsed.text += std::string(name) + "\n";
        return parsed;
    }
    if (!read_listen(listen, config)) {
        return refused("--listen: \"" + listen + "\" is not HOST:PORT; write it like 127.0.0.1:7390.\n");
    }
    if (!simulate.empty()) {
        auto spec = parse_simulate(simulate);
        if (!spec) return refused(spec.error().message + " " + spec.error().hint + "\n");
        config.simulate = std::move(*spec);
    }
    config.data_folder =
        absolute_path(config.data_folder.empty() ? default_data_folder() : config.data_folder);
    while (config.data_folder.size() > 1 && config.data_folder.back() == '/') config.data_folder.pop_back();
    if (socket != "none" && !socket.empty()) config.socket_path = absolute_path(socket);
    if (!config.restore_file.empty()) config.restore_file = absolute_path(config.restore_file);
    if (!config.policy_file.empty()) config.policy_file = absolute_path(config.policy_file);
    if (!config.web_root.empty()) config.web_root = absolute_path(config.web_root);
    find_workers(config);
    return parsed;
}

int exit_code_of(const Error& error) {
    const std::string& reason = error.reason;
    if (reason == "address_in_use" || reason == "data_folder_in_use" || reason == "disk_low" ||
        reason == "database_busy") {
        return kExitUnavailable;
    }
    if (error.code == ErrorCode::kInvalidArgument || reason == "address_not_loopback") return kExitUsage;
    if (reason == "schema_newer" || reason == "bad_permissions" || reason == "network_file_system" ||
        reason == "database_damaged" || reason == "backup_damaged" || reason == "not_our_file" ||
        reason == "data_folder_unusable" || reason == "file_unusable" || reason == "bad_credentials" ||
        reason == "database_unreadable") {
        return kExitConfig;
    }
    return kExitUnavailable;
}

}  // namespace nightshift::daemon
