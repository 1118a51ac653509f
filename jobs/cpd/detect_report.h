#pragma once

#include <string>
#include <vector>

#include "jobs/cpd/cpd_settings.h"

namespace nightshift::jobs {

/// One searched sequence (or plain table) with what was found in it.
struct Detected {
    std::string sequence, scenario;
    int true_event = -1;            ///< index of the true frame; -1 = none or not known
    std::vector<long long> frames;  ///< of each sample, as events.csv names them
    std::vector<double> values;     ///< the signal
    std::vector<double> scores;     ///< [samples]; NaN where there is none
    std::vector<CpdEvent> events;   ///< by index
};

/// What the page says of the search.
struct DetectFacts {
    std::string source, method, signal;
    double threshold = 0;  ///< NaN where the method has none to show
    std::string threshold_note_ko, threshold_note_en;
};

/// One page that needs nothing from outside, Korean and English: figures, the sequences with the highest
/// scores as charts, and a list of events.
std::string detect_report_html(const std::vector<Detected>& found, const DetectFacts& facts);

}  // namespace nightshift::jobs
