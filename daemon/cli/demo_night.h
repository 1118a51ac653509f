#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace nightshift::cli {

class Client;

/// Memory budgets of the demo, chosen so that the night happens on any device: training, the command and
/// the urgent score each fit alone, and no two of them together.
struct DemoBudgets {
    std::string device;
    std::int64_t usable = 0;    ///< total - safety - foreign - headroom
    std::int64_t training = 0;  ///< 70 %
    std::int64_t score = 0;     ///< 60 %
    std::int64_t command = 0;   ///< 45 %
};

/// Reads GET /api/v1/gpu and divides its largest device. Throws Failure when there is too little.
DemoBudgets budgets_of(Client& client);

/// Folder with the reference's own text bundles: beside the sources of this build, or installed with it.
/// Throws Failure when neither is there.
std::string find_bundles();

// Bodies of POST /api/v1/jobs. Numbers are ids of earlier jobs.
nlohmann::json import_job(const std::string& folder);
nlohmann::json generate_job();
nlohmann::json extract_job(std::int64_t dataset);
nlohmann::json patchcore_job(std::int64_t features);
nlohmann::json dream_job(std::int64_t features, std::int64_t after, const DemoBudgets& budgets);
nlohmann::json evaluate_job(std::int64_t features, std::int64_t dataset, std::int64_t patchcore,
                            std::int64_t dream);
nlohmann::json command_job(const DemoBudgets& budgets);
nlohmann::json score_job(std::int64_t model, std::int64_t dataset, const DemoBudgets& budgets);
nlohmann::json nightly_schedule();

inline constexpr const char* kDemoSchedule = "demo-nightly";
inline constexpr const char* kDemoPrefix = "demo-";

}  // namespace nightshift::cli
