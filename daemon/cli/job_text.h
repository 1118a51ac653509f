#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace nightshift::cli {

/// Parts of a job object in words.
bool is_over(const nlohmann::json& job);  ///< its state is terminal
bool has_succeeded(const nlohmann::json& job);
std::string progress_text(const nlohmann::json& job);  ///< "40 % 12/30", "saving"; empty when unknown
std::string age_text(const nlohmann::json& job);       ///< how long ago it was submitted
std::string run_text(const nlohmann::json& job);       ///< from its first start to its end or now
std::string reason_text(const nlohmann::json& job);    ///< why it waits, or how it ended
std::string result_text(const nlohmann::json& job);    ///< "12 crack-train: succeeded in 35 s"

}  // namespace nightshift::cli
