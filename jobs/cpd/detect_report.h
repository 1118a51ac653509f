#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace nightshift::jobs {

/// A change point as events.csv names it.
struct DetectedEvent {
    std::size_t index = 0;  ///< sample of the series
    long long frame = 0;
    double score = 0;
};

/// What is kept of every searched sequence (or plain table).
struct Detected {
    std::string sequence, scenario;
    int true_event = -1;                ///< index of the true frame; -1 = none or not known
    std::vector<DetectedEvent> events;  ///< by index
};

/// What was searched, sample by sample.
struct DetectedSeries {
    std::vector<long long> frames;  ///< as events.csv names them
    std::vector<double> values;     ///< the signal
    std::vector<double> scores;     ///< NaN where there is none
};

/// What the page says of the search.
struct DetectFacts {
    std::string source, method, signal;
    double threshold = 0;  ///< NaN where the method has none to show
    std::string threshold_note_ko, threshold_note_en;
};

/// One page that needs nothing from outside, Korean and English: figures, the sequences with the highest
/// scores as charts, and a list of events. `series_of(i)` is asked for those of found[i] that are drawn, a
/// dozen at most.
std::string detect_report_html(const std::vector<Detected>& found,
                               const std::function<DetectedSeries(std::size_t)>& series_of,
                               const DetectFacts& facts);

}  // namespace nightshift::jobs
