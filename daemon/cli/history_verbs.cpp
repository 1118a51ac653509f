#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>

#include "daemon/cli/failure.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/history_lines.h"
#include "daemon/cli/session.h"
#include "daemon/cli/verbs.h"

namespace nightshift::cli {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr std::size_t kPieceBytes = 64U * 1024;
constexpr std::uintmax_t kImportBytesMax = 256U * 1024 * 1024;

struct ExportOptions {
    std::string file, origin;
    std::int64_t from = 1, to = 0;
    bool has_imported = false;
};

struct ListOptions {
    std::string origin;
    std::int64_t limit = 50;
};

std::string counts_text(const HistoryFacts& facts) {
    std::string text = std::to_string(facts.jobs) + " ended jobs and " + std::to_string(facts.fires) +
                       " fires of database " + facts.database;
    if (facts.origins > 0) text += " and " + std::to_string(facts.origins) + " others";
    return text + ", whole and unchanged\n";
}

std::string damage_text(std::int64_t unreadable) {
    if (unreadable == 0) return {};
    return std::to_string(unreadable) +
           " stretches could not be read, the database was damaged: see the lines of type `unreadable`\n";
}

json object_of(const HistoryFacts& facts, const std::string& file) {
    return {{"id", file},
            {"database", facts.database},
            {"jobs", facts.jobs},
            {"fires", facts.fires},
            {"unreadable", facts.unreadable},
            {"origins", facts.origins},
            {"lines", facts.lines},
            {"chain", facts.chain}};
}

std::string target_of(const ExportOptions& options) {
    if (!options.origin.empty()) return "/api/v1/history?origin=" + percent_encoded(options.origin);
    if (options.has_imported) return "/api/v1/history?imported=1";
    return "/api/v1/history?from=" + std::to_string(options.from) + "&to=" + std::to_string(options.to);
}

HistoryFacts fetch(Session& session, const ExportOptions& options,
                   const std::function<bool(std::string_view)>& write) {
    HttpRequest request;
    request.target = target_of(options);
    HistoryCheck check;
    session.client().follow(std::move(request), [&](const HttpReply&, std::string_view bytes) {
        check.take(bytes);
        return write(bytes);
    });
    return check.finish();
}

/// Under the file's name only once it is whole.
void export_to_file(Session& session, const ExportOptions& options) {
    const std::string part = options.file + ".part";
    std::ofstream file(part, std::ios::binary | std::ios::trunc);
    if (!file) throw Failure(kExitFailed, "cannot write " + part, "Name a file in a folder of yours.");
    std::error_code error;
    fs::permissions(part, fs::perms::owner_read | fs::perms::owner_write, error);
    try {
        const HistoryFacts facts = fetch(session, options, [&](std::string_view bytes) {
            file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
            if (!file) throw Failure(kExitFailed, "cannot write " + part, "Is there room on its disk?");
            return true;
        });
        file.close();
        if (!file) throw Failure(kExitFailed, "cannot write " + part, "Is there room on its disk?");
        fs::rename(part, options.file);
        print_object(session.format, object_of(facts, options.file),
                     counts_text(facts) + damage_text(facts.unreadable));
    } catch (...) {
        fs::remove(part, error);
        throw;
    }
}

void export_history(Session& session, const ExportOptions& options) {
    if (!options.file.empty()) return export_to_file(session, options);
    const HistoryFacts facts = fetch(session, options, [](std::string_view bytes) {
        return std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size();
    });
    std::fputs((counts_text(facts) + damage_text(facts.unreadable)).c_str(), stderr);
}

std::ifstream open_history(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file || fs::is_directory(path)) throw Failure(kExitNotFound, "cannot read " + path);
    return file;
}

void check_file(Session& session, const std::string& path) {
    std::ifstream file = open_history(path);
    HistoryCheck check;
    std::array<char, kPieceBytes> piece;
    while (file.read(piece.data(), piece.size()) || file.gcount() > 0)
        check.take({piece.data(), static_cast<std::size_t>(file.gcount())});
    const HistoryFacts facts = check.finish();
    print_object(session.format, object_of(facts, path), counts_text(facts) + damage_text(facts.unreadable));
}

void import_history(Session& session, const std::string& path) {
    std::ifstream file = open_history(path);
    std::error_code error;
    const std::uintmax_t bytes = fs::file_size(path, error);
    if (error) throw Failure(kExitNotFound, "cannot read " + path);
    if (bytes > kImportBytesMax) {
        throw Failure(kExitRefused, path + " is larger than 256 MiB",
                      "Export it in parts with --from and --to, and import one after the other.");
    }
    HttpRequest request;
    request.method = "POST";
    request.target = "/api/v1/history";
    request.content_type = "application/x-ndjson";
    if (bytes == 0) throw Failure(kExitFailed, path + " is empty", "Export the history again.");
    request.body_file = &file;
    request.body_bytes = bytes;
    const json answer = json::parse(session.client().send(std::move(request)).body, nullptr, false);
    std::string text =
        flag_at(answer, "changed")
            ? "imported " + text_at(answer, "added") + " lines of database " + text_at(answer, "database")
            : "nothing changed: the history of database " + text_at(answer, "database") + " is here already";
    if (number_at(answer, "replaced") > 0) text += ", " + text_at(answer, "replaced") + " newer";
    if (number_at(answer, "same") > 0) text += ", " + text_at(answer, "same") + " were here";
    if (number_at(answer, "older") > 0) text += ", " + text_at(answer, "older") + " older ones left out";
    if (number_at(answer, "own") > 0) text += ", " + text_at(answer, "own") + " jobs are this daemon's own";
    print_object(session.format, answer, text + "\n" + damage_text(number_at(answer, "unreadable")));
}

Table table_of(const json& jobs) {
    Table table;
    table.columns = {{"FROM", Align::kLeft, false, 12},
                     {"ID", Align::kRight},
                     {"NAME", Align::kLeft, false, 32},
                     {"KIND"},
                     {"STATE"},
                     {"ENDED"},
                     {"IMPORTED", Align::kLeft, true}};
    for (const json& job : jobs) {
        table.rows.push_back({text_at(job, "origin"), text_at(job, "id"), text_at(job, "name"),
                              text_at(job, "kind"), text_at(job, "state"), text_at(job, "ended_at"),
                              text_at(job, "imported_at")});
    }
    return table;
}

/// Jobs of other databases, page after page up to the limit.
void list_history(Session& session, const ListOptions& options) {
    json jobs = json::array();
    std::string cursor;
    do {
        const std::int64_t room = options.limit - static_cast<std::int64_t>(jobs.size());
        std::string path = "/api/v1/history/jobs?limit=" + std::to_string(std::min<std::int64_t>(room, 200));
        if (!options.origin.empty()) path += "&origin=" + percent_encoded(options.origin);
        if (!cursor.empty()) path += "&cursor=" + percent_encoded(cursor);
        const json page = session.client().get(path);
        for (const json& job : array_at(page, "jobs")) jobs.push_back(job);
        cursor = text_at(page, "next");
    } while (!cursor.empty() && static_cast<std::int64_t>(jobs.size()) < options.limit);
    print(session.format, table_of(jobs), jobs,
          "no history of another machine: `nightshift history import FILE` brings it\n");
}

void add_export_verb(CLI::App& history, Session& session) {
    const auto options = std::make_shared<ExportOptions>();
    CLI::App* verb = history.add_subcommand("export", "write every ended job, a JSON object a line");
    verb->add_option("--out", options->file, "the file (default: standard output)");
    auto* from = verb->add_option("--from", options->from, "first job")->check(CLI::PositiveNumber);
    auto* to =
        verb->add_option("--to", options->to, "last job (default: the newest)")->check(CLI::PositiveNumber);
    auto* imported = verb->add_flag("--imported", options->has_imported, "what was imported too");
    verb->add_option("--origin", options->origin, "only what was imported of this database")
        ->excludes(from)
        ->excludes(to)
        ->excludes(imported);
    imported->excludes(from)->excludes(to);
    verb->callback([&session, options] { export_history(session, *options); });
}

}  // namespace

void add_history_verbs(CLI::App& app, Session& session) {
    CLI::App* history = app.add_subcommand("history", "ended jobs as a file that proves itself");
    history->require_subcommand(1);
    add_export_verb(*history, session);
    const auto checked = std::make_shared<std::string>();
    CLI::App* check = history->add_subcommand("check", "whether such a file is whole and unchanged");
    check->add_option("FILE", *checked, "the file")->required();
    check->callback([&session, checked] { check_file(session, *checked); });
    const auto imported = std::make_shared<std::string>();
    CLI::App* import = history->add_subcommand("import", "keep another machine's history, to look at");
    import->add_option("FILE", *imported, "what `history export` wrote there")->required();
    import->callback([&session, imported] { import_history(session, *imported);
});
const auto options = std::make_shared<ListOptions>();
CLI::App* list = history->add_subcommand("list", "jobs of other machines, newest first");
list->add_option("--origin", options->origin, "only those of this database");
list->add_option("-n,--limit", options->limit, "at most so many (50)")->check(CLI::Range(1, 100'000));
list->callback([&session, options] { list_history(session, *options); });
}  // namespace nightshift::cli

}  // namespace nightshift::cli
