#include "scheduler/scene.h"

#include <array>
#include <cstdio>

namespace nightshift {

std::string format_instant(const Scene& scene, const std::string& zone, UnixMs at) {
    constexpr std::array<const char*, 7> kDays{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    const LocalTime local = scene.zones.to_local(zone, at);
    char out[64];
    if (at - scene.now < hours(24 * 6)) {
        std::snprintf(out, sizeof out, "%s %02d:%02d", kDays[static_cast<std::size_t>(local.weekday % 7)],
                      local.minute / 60, local.minute % 60);
    } else {
        std::snprintf(out, sizeof out, "%04d-%02d-%02d %02d:%02d", local.year, local.month, local.day,
                      local.minute / 60, local.minute % 60);
    }
    return zone.empty() ? out : std::string(out) + " (" + zone + ")";
}

std::string format_jobs(const std::vector<JobId>& jobs) {
    constexpr std::size_t kNamed = 4;
    std::string out = jobs.size() == 1 ? "job " : "jobs ";
    for (std::size_t i = 0; i < jobs.size() && i < kNamed; ++i) {
        out += (i == 0 ? "" : ", ") + std::to_string(jobs[i].value);
    }
    if (jobs.size() > kNamed) out += " and " + std::to_string(jobs.size() - kNamed) + " more";
    return out;
}

}  // namespace nightshift
