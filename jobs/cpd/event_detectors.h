#pragma once

#include <cstdint>
#include <vector>

#include "jobs/cpd/event_rates.h"
#include "jobs/fpcb/dataset.h"
#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {

EventUnit event_unit(const SequenceInfo& info);
/// True where a sequence is long and dense enough for kernels::panel_event().
bool can_have_event(const SequenceInfo& info);

/// What tracks say of one sequence.
struct TrackEvents {
    int event_frame = 0, peak_frame = 0, first_alarm = -1;
    double event_score = 0, peak_score = 0, alarm_score = 0, event_place = 0;
};
TrackEvents track_events(const Sequence& sequence);

/// Ours, then what it has to beat: the reference's CUSUM, the largest acceleration, one frame for all
/// sequences (the median of the damaged ones outside the test split), any frame. The last two alarm by lot.
std::vector<EventDetector> event_detectors(const std::vector<EventUnit>& units,
                                           const std::vector<TrackEvents>& found, std::uint64_t seed);

}  // namespace nightshift::jobs
