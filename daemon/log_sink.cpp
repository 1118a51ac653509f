#include "daemon/log_sink.h"

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

namespace nightshift::daemon {

namespace {
constexpr std::size_t kLogFileBytes = 10 << 20;
constexpr std::size_t kLogFilesKept = 3;
}  // namespace

void open_log(const std::string& level) {
    std::vector<spdlog::sink_ptr> sinks{std::make_shared<spdlog::sinks::stderr_color_sink_st>()};
    try {
        sinks.push_back(std::make_shared<spdlog::sinks::rotating_file_sink_st>("nightshiftd.log",
                                                                               kLogFileBytes, kLogFilesKept));
    } catch (const spdlog::spdlog_ex&) {
        // A full disk must not keep the daemon from telling so on standard error.
    }
    // `nightshift up` keeps standard error in a file that nobody rotates; the log says it all there already.
    const char* to_stderr = std::getenv("NIGHTSHIFT_LOG_STDERR");
    if (sinks.size() > 1 && to_stderr != nullptr && std::string_view(to_stderr) == "off")
        sinks.erase(sinks.begin());
    auto logger = std::make_shared<spdlog::logger>("nightshiftd", sinks.begin(), sinks.end());
    logger->set_level(spdlog::level::from_str(level));
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v", spdlog::pattern_time_type::utc);
    logger->flush_on(spdlog::level::info);
    // A failing log file is not worth a word each time.
    logger->set_error_handler([](const std::string&) {});
    spdlog::set_default_logger(std::move(logger));
}

}  // namespace nightshift::daemon
