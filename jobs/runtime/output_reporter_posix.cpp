#include "jobs/runtime/output_reporter.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include <sys/ioctl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "jobs/runtime/clock.h"

namespace nightshift::jobs {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kRedrawEvery_ms = 100;
constexpr const char* kEraseLine = "\r\x1b[K";

void write_all(std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;  // nobody listens any more; the job goes on
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

void write_json(const Json& json) {
    write_line(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

int terminal_columns() {
    winsize size{};
    return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

void write_line(std::string_view line) {
    write_all(std::string(line) + "\n");
}

// --- JSON lines -----------------------------------------------------------------------------------

void JsonReporter::started(const wire::Started&) {
    write_json({{"type", "started"}});
}

void JsonReporter::progress(const Progress& progress) {
    Json json{{"type", "progress"}};
    json.update(Json::parse(progress_line(progress, wall_now())));
    write_json(json);
}

void JsonReporter::memory(const wire::MemoryReport& report) {
    write_json({{"type", "memory"}, {"used", report.used.value}, {"peak", report.peak.value}});
}

void JsonReporter::checkpoint(const Checkpoint& checkpoint) {
    write_json({{"type", "checkpoint"}, {"path", checkpoint.path}, {"step", checkpoint.step}});
}

void JsonReporter::log(std::string_view line) {
    write_json({{"type", "log"}, {"line", line}});
}

// --- terminal -------------------------------------------------------------------------------------

std::string draw_bar(const Progress& progress, int columns) {
    constexpr int kBarWidth = 24;
    std::string text = (progress.phase.empty() ? "working" : progress.phase) + " ";
    if (progress.steps > 0) {
        const double share =
            std::clamp(static_cast<double>(progress.step) / static_cast<double>(progress.steps), 0.0, 1.0);
        const int full = static_cast<int>(share * kBarWidth);
        text += "[" + std::string(static_cast<std::size_t>(full), '#') +
                std::string(static_cast<std::size_t>(kBarWidth - full), '.') + "] ";
        text += std::to_string(static_cast<int>(share * 100)) + "% ";
        text += std::to_string(progress.step) + "/" + std::to_string(progress.steps);
    } else {
        text += std::to_string(progress.step);
    }
    for (const auto& [name, value] : progress.metrics) {
        char number[32];
        std::snprintf(number, sizeof number, "%.4g", value);
        text += "  " + name + " " + number;
    }
    if (progress.eta && progress.step < progress.steps)
        text += "  " + format_duration(*progress.eta) + " left";
    const auto limit = static_cast<std::size_t>(std::max(columns - 1, 10));
    if (text.size() > limit) text.resize(limit);
    return text;
}

TerminalReporter::~TerminalReporter() {
    if (has_bar_) draw(true);
}

void TerminalReporter::draw(bool is_last) {
    write_all(kEraseLine + draw_bar(latest_, terminal_columns()) + (is_last ? "\n" : ""));
    drawn_at_ms_ = steady_now().value;
}

void TerminalReporter::progress(const Progress& progress) {
    if (has_bar_ && progress.phase != latest_.phase) draw(true);
    const bool is_end = progress.steps > 0 && progress.step >= progress.steps;
    latest_ = progress;
    has_bar_ = true;
    if (is_end || steady_now().value - drawn_at_ms_ >= kRedrawEvery_ms) draw(false);
}

void TerminalReporter::checkpoint(const Checkpoint& checkpoint) {
    log("checkpoint " + checkpoint.path);
}

void TerminalReporter::log(std::string_view line) {
    if (has_bar_) write_all(kEraseLine);
    write_line(line);
    if (has_bar_) draw(false);
}

}  // namespace nightshift::jobs
