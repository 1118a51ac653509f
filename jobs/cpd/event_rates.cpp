#include "jobs/cpd/event_rates.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>
#include <map>
#include <utility>

#include "jobs/models/percentile.h"

namespace nightshift::jobs {
namespace {

constexpr std::size_t kWorstShown = 10;

int error_of(const EventUnit& unit, int frame) {
    return frame < 0 ? unit.frames : std::abs(frame - unit.event);
}

/// Counts units one by one.
struct Tally {
    EventCounts counts;
    std::vector<double> errors;

    void add(const EventUnit& unit, int frame, bool is_alarm) {
        ++counts.count;
        counts.alarmed += is_alarm ? 1 : 0;
        if (!unit.is_damaged()) return;
        errors.push_back(error_of(unit, frame));
        const bool is_within = errors.back() <= kEventReach;
        counts.within += is_within ? 1 : 0;
        counts.alarmed_within += is_within && is_alarm ? 1 : 0;
    }

    EventCounts result() const {
        EventCounts out = counts;
        out.median_error = percentile(errors, 50);
        return out;
    }
};

}  // namespace

double alarm_threshold(std::vector<double> scores, double rate) {
    if (scores.empty()) return std::numeric_limits<double>::infinity();
    std::sort(scores.begin(), scores.end(), std::greater<>());
    const auto allowed =
        static_cast<std::size_t>(std::floor(rate * static_cast<double>(scores.size()) + 1e-9));
    return allowed >= scores.size() ? -std::numeric_limits<double>::infinity() : scores[allowed];
}

bool has_splits(const std::vector<EventUnit>& units) {
    return std::any_of(units.begin(), units.end(),
                       [](const EventUnit& u) { return u.split == Split::kTest; });
}

std::vector<std::size_t> learning_normals(const std::vector<EventUnit>& units) {
    const bool is_split = has_splits(units);
    std::vector<std::size_t> out;
    for (std::size_t u = 0; u < units.size(); ++u) {
        if (units[u].is_normal() && (!is_split || units[u].split != Split::kTest)) out.push_back(u);
    }
    return out;
}

std::vector<std::size_t> judged_events(const std::vector<EventUnit>& units) {
    const bool is_split = has_splits(units);
    std::vector<std::size_t> out;
    for (std::size_t u = 0; u < units.size(); ++u) {
        if (is_split && units[u].split != Split::kTest) continue;
        if (units[u].is_damaged() || units[u].is_normal()) out.push_back(u);
    }
    return out;
}

EventRates judge_events(const std::vector<EventUnit>& units, const EventDetector& detector, double rate) {
    EventRates out{
        detector.name, detector.note_en, detector.note_ko, detector.is_baseline, {}, {}, {}, {}, {}, {}};
    std::vector<double> normal_scores;
    for (const std::size_t u : learning_normals(units)) normal_scores.push_back(detector.score[u]);
    out.threshold = alarm_threshold(std::move(normal_scores), rate);
    Tally damaged, normal;
    std::map<std::pair<bool, std::string>, Tally> groups;
    for (const std::size_t u : judged_events(units)) {
        const EventUnit& unit = units[u];
        const bool is_alarm = detector.frame[u] >= 0 && detector.score[u] > out.threshold;
        (unit.is_damaged() ? damaged : normal).add(unit, detector.frame[u], is_alarm);
        groups[{!unit.is_damaged(), unit.scenario}].add(unit, detector.frame[u], is_alarm);
        if (unit.is_damaged()) out.worst.push_back(u);
    }
    out.damaged = damaged.result();
    out.normal = normal.result();
    for (const auto& [key, tally] : groups) out.groups.push_back({key.second, !key.first, tally.result()});
    for (int k = 0; k <= kErrorsShown; ++k) {
        const auto near =
            std::count_if(damaged.errors.begin(), damaged.errors.end(), [&](double e) { return e <= k; });
        out.share_within[static_cast<std::size_t>(k)] =
            damaged.errors.empty() ? 0
                                   : static_cast<double>(near) / static_cast<double>(damaged.errors.size());
    }
    std::stable_sort(out.worst.begin(), out.worst.end(), [&](std::size_t a, std::size_t b) {
        return error_of(units[a], detector.frame[a]) > error_of(units[b], detector.frame[b]);
    });
    out.worst.resize(std::min(out.worst.size(), kWorstShown));
    return out;
}

}  // namespace nightshift::jobs
