#pragma once

#include <string>
#include <string_view>

#include "jobs/runtime/context.h"
#include "jobs/runtime/control.h"

namespace nightshift::jobs {

/// Writes one line to stdout in one system call, so that lines of several processes do not mix.
void write_line(std::string_view line);

/// News to the daemon, log lines to stdout (the attempt's stdout.log).
class DaemonReporter final : public Reporter {
  public:
    explicit DaemonReporter(Control& control) : control_(control) {}
    void started(const wire::Started& started) override { control_.started(started); }
    void progress(const Progress& progress) override { control_.progress(progress); }
    void memory(const wire::MemoryReport& report) override { control_.memory(report); }
    void checkpoint(const Checkpoint& checkpoint) override { control_.checkpoint(checkpoint); }
    void refused(const wire::CheckpointRefused& refused) override { control_.checkpoint_refused(refused); }
    void log(std::string_view line) override { write_line(line); }

  private:
    Control& control_;
};

/// One JSON object a line on stdout, for programs that read `nightshift-worker run`.
class JsonReporter final : public Reporter {
  public:
    void started(const wire::Started& started) override;
    void progress(const Progress& progress) override;
    void memory(const wire::MemoryReport& report) override;
    void checkpoint(const Checkpoint& checkpoint) override;
    void log(std::string_view line) override;
};

/// A bar that redraws itself on a terminal's last line; log lines scroll above it.
class TerminalReporter final : public Reporter {
  public:
    ~TerminalReporter() override;
    void started(const wire::Started&) override {}
    void progress(const Progress& progress) override;
    void memory(const wire::MemoryReport&) override {}
    void checkpoint(const Checkpoint& checkpoint) override;
    void log(std::string_view line) override;

  private:
    void draw(bool is_last);

    Progress latest_;
    bool has_bar_ = false;
    std::int64_t drawn_at_ms_ = 0;
};

/// The bar as text for a terminal of `columns`: phase, bar, step of steps, metrics, time left.
std::string draw_bar(const Progress& progress, int columns);

}  // namespace nightshift::jobs
