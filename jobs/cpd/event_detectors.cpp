#include "jobs/cpd/event_detectors.h"

#include <algorithm>
#include <cmath>

#include "jobs/cpd/series.h"
#include "jobs/fpcb/frame_metrics.h"
#include "jobs/models/percentile.h"
#include "kernels/change_points.h"
#include "kernels/draws.h"
#include "kernels/panel_event.h"
#include "kernels/panel_features.h"

namespace nightshift::jobs {
namespace {

/// Of the lots drawn here; no other stream of a data set's seed has them.
constexpr std::uint32_t kDrawLot = 0x6c6f74;

EventDetector empty_detector(const char* name, const char* en, const char* ko, bool is_baseline,
                             std::size_t units) {
    return {name, en, ko, is_baseline, std::vector<int>(units, -1), std::vector<double>(units, 0)};
}

int usual_frame(const std::vector<EventUnit>& units) {
    const bool is_split = has_splits(units);
    std::vector<double> events;
    for (const EventUnit& unit : units) {
        if (unit.is_damaged() && (!is_split || unit.split != Split::kTest)) events.push_back(unit.event);
    }
    return events.empty() ? -1 : static_cast<int>(std::lround(percentile(events, 50)));
}

}  // namespace

EventUnit event_unit(const SequenceInfo& info) {
    EventUnit out;
    out.name = info.name;
    out.scenario = info.scenario;
    out.label = info.label;
    out.is_variant = info.goal == "variant";
    out.split = info.split;
    out.frames = info.frames;
    out.event = info.event_frame;
    return out;
}

bool can_have_event(const SequenceInfo& info) {
    return info.frames >= kernels::kPanelFramesMin && info.points >= kernels::kPanelPointsMin;
}

TrackEvents track_events(const Sequence& sequence) {
    TrackEvents out;
    const kernels::PanelEvent event = kernels::panel_event(view_of(sequence));
    out.event_frame = event.frame;
    out.event_score = event.score;
    out.event_place = event.place;
    const Series series = peak_acceleration(sequence);
    const auto peak = std::max_element(series.values.begin(), series.values.end());
    out.peak_frame = static_cast<int>(peak - series.values.begin());
    out.peak_score = *peak / std::max(percentile(series.values, 50), 1e-9);
    kernels::CusumOptions cusum;
    cusum.threshold = 3;
    const auto alarms = kernels::cusum_compat(series.values, cusum);
    if (!alarms.change_points.empty()) out.first_alarm = static_cast<int>(alarms.change_points.front());
    out.alarm_score = *std::max_element(alarms.scores.begin(), alarms.scores.end());
    return out;
}

std::vector<EventDetector> event_detectors(const std::vector<EventUnit>& units,
                                           const std::vector<TrackEvents>& found, std::uint64_t seed) {
    const std::size_t n = units.size();
    std::vector<EventDetector> out{
        empty_detector("event", "growing kink and faster bending at one frame, from the tracks alone",
                       "꺾임 성장과 빠른 굽힘이 겹치는 프레임 (궤적만 사용)", false, n),
        empty_detector("reference CUSUM",
                       "first alarm of the reference's CUSUM (threshold 3) on the raw signal",
                       "기존 CUSUM(임계값 3)의 첫 경보", true, n),
        empty_detector("largest acceleration", "frame of the largest acceleration of any point",
                       "최대 가속도 프레임", true, n),
        empty_detector("constant frame", "the same frame for every sequence; alarms by lot",
                       "항상 같은 프레임, 경보는 제비뽑기", true, n),
        empty_detector("random frame", "any frame; alarms by lot", "임의 프레임, 경보는 제비뽑기", true, n)};
    const int usual = usual_frame(units);
    kernels::Draws lot(seed, 0, kDrawLot);
    for (std::size_t u = 0; u < n; ++u) {
        const TrackEvents& each = found[u];
        out[0].frame[u] = each.event_frame, out[0].score[u] = each.event_score;
        out[1].frame[u] = each.first_alarm, out[1].score[u] = each.alarm_score;
        out[2].frame[u] = each.peak_frame, out[2].score[u] = each.peak_score;
        out[3].frame[u] = usual, out[3].score[u] = lot.uniform(0, 1);
        out[4].frame[u] = static_cast<int>(lot.below(static_cast<std::uint32_t>(units[u].frames)));
        out[4].score[u] = lot.uniform(0, 1);
    }
    return out;
}

}  // namespace nightshift::jobs
