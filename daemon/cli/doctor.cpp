#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "daemon/cli/failure.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/launch.h"
#include "daemon/cli/session.h"
#include "daemon/cli/text.h"
#include "daemon/cli/torture.h"
#include "daemon/cli/verbs.h"
#include "scheduler/units.h"

namespace nightshift::cli {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr Bytes kDiskLow = gibibytes(2);

/// `ok`: as it should be. `note`: works, but somebody may want to know. `bad`: something will not work.
struct Finding {
    std::string subject, grade, text, advice;
};

using Findings = std::vector<Finding>;

void check_gpu(Findings& findings) {
    std::string reason;
    std::ifstream driver("/proc/driver/nvidia/version");
    std::string line;
    std::getline(driver, line);
    if (line.empty()) {
        findings.push_back({"GPU", "note",
                            "no NVIDIA driver here: jobs compute on the CPU, under a memory budget",
                            "With a card: install its driver, then restart the daemon."});
        return;
    }
    findings.push_back({"driver", "ok", line, ""});
    if (can_load("libnvidia-ml.so.1", reason)) {
        findings.push_back({"NVML", "ok", "libnvidia-ml.so.1 loads", ""});
    } else {
        findings.push_back(
            {"NVML", "bad", reason, "Install the NVIDIA driver's user libraries of the same version."});
    }
    if (const auto list = output_of({"nvidia-smi", "-L"})) {
        findings.push_back({"GPU", "ok", list->substr(0, list->find('\n')), ""});
    }
}

void check_data_folder(const Session& session, Findings& findings) {
    const std::string& folder = session.target.data_folder;
    const FolderFacts facts = facts_of(folder);
    if (!facts.exists) {
        findings.push_back(
            {"data folder", "note", folder + " does not exist yet", "`nightshift up` makes it."});
    } else if (!facts.is_ours || !facts.is_writable) {
        findings.push_back({"data folder", "bad", folder + " is not writable for you",
                            "Use your own with --data DIR, or run this as its owner."});
    } else if (!facts.is_private) {
        findings.push_back(
            {"data folder", "bad", folder + " is open to other users", "chmod 700 '" + folder + "'"});
    } else {
        findings.push_back({"data folder", "ok", folder, ""});
    }
    for (const char* name : {"auth.hdr", "operator.hdr", "viewer.hdr"}) {
        const std::string path = (fs::path(folder) / name).string();
        std::error_code error;
        const fs::perms others =
            fs::status(path, error).permissions() & (fs::perms::group_all | fs::perms::others_all);
        if (!error && fs::exists(path) && others != fs::perms::none) {
            findings.push_back(
                {"credentials", "bad", path + " is open to other users", "chmod 600 '" + path + "'"});
        }
    }
    if (facts.is_network) {
        findings.push_back({"file system", "bad", folder + " lies on a network file system",
                            "SQLite's locks are not safe there: choose a local folder with --data DIR."});
    }
    const std::string room = format_bytes(Bytes{facts.bytes_free}) + " free";
    if (Bytes{facts.bytes_free} < kDiskLow) {
        findings.push_back({"disk", "bad", room, "Make room: below 2 GiB jobs fail while they save."});
    } else {
        findings.push_back({"disk", "ok", room, ""});
    }
}

void check_time(Findings& findings) {
    std::error_code error;
    const fs::path zone = fs::read_symlink("/etc/localtime", error);
    const std::string text = zone.string();
    const std::size_t name = text.find("zoneinfo/");
    if (const char* tz = std::getenv("TZ"); tz != nullptr && *tz != '\0') {
        findings.push_back({"time zone", "ok", "TZ=" + std::string(tz), ""});
    } else if (!error && name != std::string::npos) {
        findings.push_back({"time zone", "ok", text.substr(name + 9), ""});
    } else {
        findings.push_back(
            {"time zone", "note", "not set, so UTC holds for times without a zone",
             "timedatectl set-timezone Asia/Seoul, or name \"timezone\" in policy and schedules."});
    }
    if (!fs::exists("/usr/share/zoneinfo/Asia/Seoul", error)) {
        findings.push_back(
            {"time zones", "bad", "the time zone database is missing", "apt-get install tzdata"});
    }
}

void check_programs(Findings& findings) {
    const fs::path folder = program_folder();
    std::error_code error;
    for (const char* name : {"nightshiftd", "nightshift-worker"}) {
        const bool is_there = fs::exists(folder / name, error);
        findings.push_back({name, is_there ? "ok" : "bad",
                            (folder / name).string() + (is_there ? "" : " is missing"),
                            is_there ? "" : "Build it with packaging/run: the programs lie together."});
    }
    const auto kinds = output_of({(folder / "nightshift-worker").string(), "kinds", "--json"});
    const json table = kinds ? json::parse(*kinds, nullptr, false) : json();
    if (table.is_array() && !table.empty()) {
        findings.push_back({"kinds", "ok", std::to_string(table.size()) + " kinds of jobs", ""});
    } else {
        findings.push_back(
            {"kinds", "bad", "nightshift-worker does not say what it can do",
             "Run `" + (folder / "nightshift-worker").string() + " kinds` and read its error."});
    }
    const fs::path torch = folder / "nightshift-torch.so";
    if (!fs::exists(torch, error)) {
        findings.push_back({"LibTorch", "note", "not built in: the native engines do the training",
                            "packaging/setup fetches it, then build again."});
        return;
    }
    // The module takes symbols of the worker, so it is not loaded here; its libraries are looked at.
    const auto libraries = output_of({"ldd", torch.string()});
    const std::size_t missing = libraries ? libraries->find("=> not found") : std::string::npos;
    if (missing == std::string::npos) {
        findings.push_back({"LibTorch", "ok", torch.string(), ""});
    } else {
        const std::size_t start = libraries->rfind('\n', missing) + 1;
        findings.push_back({"LibTorch", "bad", "not found: " + libraries->substr(start, missing - start),
                            "Run packaging/setup again and rebuild."});
    }
}

void check_daemon(Session& session, Findings& findings) {
    try {
        const json status = session.client().get("/api/v1/status");
        findings.push_back(
            {"daemon", "ok",
             "version " + text_at(status, "version") + " at " + session.client().endpoint().url(), ""});
    } catch (const Failure& failure) {
        const bool is_running = read_instance(session.target.data_folder).pid != 0;
        findings.push_back({"daemon", is_running ? "bad" : "note", failure.what(), failure.hint});
    }
}

/// What the daemon says of its own data: every promise, and how old the newest backup is.
void check_storage(Session& session, Findings& findings) {
    const json status = session.client().get("/api/v1/status");
    const json storage = status.value("storage", json::object());
    const std::string state = text_at(storage, "state");
    if (!state.empty() && state != "ok") {
        findings.push_back({"storage", "bad", state, text_at(storage, "text")});
    }
    const json answer = session.client().get("/api/v1/selfcheck");
    for (const json& check : answer["checks"]) {
        const bool is_ok = check.value("ok", false);
        std::string text = text_at(check, "name");
        if (!is_ok) {
            text += ": " + text_at(check, "meaning") + " See";
            for (const json& row : check["broken"])
                text += " " + (row.is_string() ? row.get<std::string>() : "");
        }
        findings.push_back(
            {text_at(check, "code"), is_ok ? "ok" : "bad", text, is_ok ? "" : text_at(check, "remedy")});
    }
    const json backups = session.client().get("/api/v1/backup")["backups"];
    if (backups.empty()) {
        findings.push_back({"backup", "note", "none yet; the daemon makes one a day", "`nightshift backup`"});
    } else {
        findings.push_back({"backup", "ok", "newest " + local_time(text_at(backups[0], "at")), ""});
    }
}

void doctor(Session& session, bool is_deep) {
    Findings findings;
    check_gpu(findings);
    check_data_folder(session, findings);
    check_time(findings);
    check_programs(findings);
    check_daemon(session, findings);
    if (is_deep) check_storage(session, findings);
    json objects = json::array();
    std::string text;
    for (const Finding& finding : findings) {
        objects.push_back({{"name", finding.subject},
                           {"grade", finding.grade},
                           {"text", finding.text},
                           {"advice", finding.advice}});
        text += pad_right(finding.grade, 6) + pad_right(finding.subject, 18) + harmless(finding.text) + "\n";
        if (!finding.advice.empty()) text += std::string(24, ' ') + harmless(finding.advice) + "\n";
        if (finding.grade == "bad") session.exit_code = kExitFailed;
    }
    if (session.is_for_people()) {
        std::printf("%s", text.c_str());
    } else {
        print(session.format, {}, objects, "");
    }
}

}  // namespace

void add_doctor_verb(CLI::App& app, Session& session) {
    CLI::App* verb = app.add_subcommand("doctor", "look for what would keep jobs from running");
    const auto is_deep = std::make_shared<bool>(false);
    verb->add_flag("--deep", *is_deep, "also check every promise about the stored data (needs the daemon)");
    const auto options = std::make_shared<TortureOptions>();
    CLI::Option* time = verb->add_option("--torture", options->time,
                                         "instead: kill, fill, cut and jump daemons of its own for this long "
                                         "(60s), check every promise, measure this machine");
    verb->add_option("--scratch", options->scratch, "folder to torture in (default: the data folder's disk)")
        ->needs(time);
    verb->add_option("--seed", options->seed, "number of an earlier torture")->needs(time);
    verb->callback([&session, is_deep, options] {
        if (options->time.empty()) return doctor(session, *is_deep);
        torture(session, *options);
    });
}

}  // namespace nightshift::cli
