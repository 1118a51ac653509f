#include "jobs/runtime/progress_log.h"

#include <utility>

#include <nlohmann/json.hpp>

namespace nightshift::jobs {

std::string progress_line(const Progress& progress, UnixMs at) {
    nlohmann::ordered_json json{
        {"at_ms", at.value}, {"phase", progress.phase}, {"step", progress.step}, {"steps", progress.steps}};
    if (progress.eta) json["eta_ms"] = progress.eta->value;
    if (!progress.metrics.empty()) {
        auto& metrics = json["metrics"] = nlohmann::ordered_json::object();
        for (const auto& [name, value] : progress.metrics) metrics[name] = value;
    }
    return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

ProgressLog::ProgressLog(std::filesystem::path file) : file_(std::move(file)) {}

void ProgressLog::open() {
    is_open_ = true;
    stream_.open(file_, std::ios::binary | std::ios::app);
    std::error_code error;
    const auto size = std::filesystem::file_size(file_, error);
    if (!error) bytes_ = static_cast<std::int64_t>(size);
}

void ProgressLog::append(const Progress& progress, UnixMs now) {
    if (!is_open_) open();
    if (bytes_ > kProgressLogBytesFull && now - last_ < seconds(1)) return;
    last_ = now;
    const std::string line = progress_line(progress, now) + "\n";
    stream_ << line << std::flush;
    bytes_ += static_cast<std::int64_t>(line.size());
}

}  // namespace nightshift::jobs
