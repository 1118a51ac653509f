#include "daemon/worker/proc_table.h"

#include <charconv>
#include <filesystem>

#include "daemon/paths.h"

namespace nightshift::daemon {

namespace {

constexpr std::size_t kStatBytesMax = 64 * 1024;

}  // namespace

std::optional<ProcRow> read_proc(std::int64_t pid) {
    const auto text = read_file("/proc/" + std::to_string(pid) + "/stat", kStatBytesMax);
    if (!text) return std::nullopt;
    // The name in parentheses may hold anything, spaces and parentheses too: count from the last one.
    std::size_t at = text->rfind(')');
    const std::size_t name = text->find('(');
    if (at == std::string::npos || name == std::string::npos || at + 2 >= text->size()) return std::nullopt;
    ProcRow row;
    row.pid = pid;
    row.name = text->substr(name + 1, at - name - 1);
    row.state = (*text)[at + 2];
    at += 3;
    for (int field = 4; field <= 22; ++field) {
        while (at < text->size() && (*text)[at] == ' ') ++at;
        std::int64_t value = 0;
        const auto [end, error] = std::from_chars(text->data() + at, text->data() + text->size(), value);
        if (error != std::errc()) return std::nullopt;
        at = static_cast<std::size_t>(end - text->data());
        if (field == 4) row.parent = value;
        if (field == 5) row.group = value;
        if (field == 6) row.session = value;
        if (field == 20) row.threads = value;
        if (field == 22) row.start_ticks = value;
    }
    return row;
}

std::vector<ProcRow> list_procs() {
    std::vector<ProcRow> rows;
    std::error_code code;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", code)) {
        const std::string name = entry.path().filename().string();
        std::int64_t pid = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (error != std::errc() || end != name.data() + name.size()) continue;
        if (auto row = read_proc(pid)) rows.push_back(std::move(*row));
    }
    return rows;
}

}  // namespace nightshift::daemon
