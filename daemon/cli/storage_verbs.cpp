#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "daemon/cli/failure.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/launch.h"
#include "daemon/cli/session.h"
#include "daemon/cli/text.h"
#include "daemon/cli/verbs.h"
#include "scheduler/units.h"

namespace nightshift::cli {

using nlohmann::json;

namespace {

std::string line_of(const json& backup) {
    return pad_right(text_at(backup, "name"), 44) +
           format_bytes(Bytes{backup.value("bytes", std::int64_t{0})}) + "\n";
}

void make_backup(Session& session) {
    const json made = session.client().post("/api/v1/backup");
    print_object(session.format, made, "backed up: " + line_of(made));
}

void list_backups(Session& session) {
    const json answer = session.client().get("/api/v1/backup");
    if (!session.is_for_people()) return print(session.format, {}, answer["backups"], "");
    std::string text;
    for (const json& backup : answer["backups"]) text += line_of(backup);
    if (text.empty()) text = "no backups yet: `nightshift backup` makes one, and the daemon one a day\n";
    std::printf("%s", harmless(text, true).c_str());
}

/// The daemon's program does it: it alone opens the database.
void restore(Session& session, const std::string& file) {
    const Instance instance = read_instance(session.target.data_folder);
    if (instance.pid != 0 && is_running(instance.pid, instance.start_ticks)) {
        throw Failure(kExitRefused, "nightshiftd is running (pid " + std::to_string(instance.pid) + ")",
                      "Stop it first: `nightshift down`, then restore, then `nightshift up`.");
    }
    std::string path = file;
    std::error_code error;
    const std::string in_folder = session.target.data_folder + "/backup/" + file;
    if (!std::filesystem::exists(path, error) && std::filesystem::exists(in_folder, error)) path = in_folder;
    session.exit_code = run_daemon_program({"--data", session.target.data_folder, "--restore", path});
}

}  // namespace

void add_storage_verbs(CLI::App& app, Session& session) {
    CLI::App* backup = app.add_subcommand("backup", "copy the database while it is in use");
    CLI::App* list = backup->add_subcommand("ls", "the backups there are");
    list->callback([&session] { list_backups(session); });
    backup->callback([&session, list] {
        if (!list->parsed()) make_backup(session);
    });
    CLI::App* back =
        app.add_subcommand("restore", "put a backup in the place of a stopped daemon's database");
    const auto file = std::make_shared<std::string>();
    back->add_option("FILE", *file, "a backup: its path, or its name as `backup ls` shows it")->required();
    back->callback([&session, file] { restore(session, *file); });
}

}  // namespace nightshift::cli
