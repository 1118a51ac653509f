#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "jobs/cpd/event_rates.h"

namespace nightshift::jobs {

/// What `evaluate` with goal cpd found.
struct EventReport {
    std::string source;
    std::vector<EventUnit> units;
    std::vector<int> frame;  ///< of ours, one a unit
    std::vector<double> score;
    std::vector<EventRates> rates;  ///< ours first, then what it has to beat
    double rate = .01;              ///< false alarms aimed at
    std::size_t learning = 0;       ///< normal sequences the thresholds come from
    std::size_t too_short = 0;
    bool has_split = false;
};

nlohmann::ordered_json event_report_json(const EventReport& report);

/// One page that needs nothing from outside, Korean and English.
std::string event_report_html(const EventReport& report);

/// The page beside the reference's report.json (reference_goal.h): its figures, and why not to trust them.
std::string reference_report_html(const std::string& source, const nlohmann::ordered_json& report);

}  // namespace nightshift::jobs
