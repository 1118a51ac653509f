#include "jobs/optimize/cpd_objective.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "jobs/cpd/event_rates.h"

namespace nightshift::jobs {
namespace {

double share_of(std::int64_t part, std::int64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

bool is_hit(const JudgedSeries& one, const CpdEvent& event) {
    const long long frame = one.frames[event.index];
    return (!one.first || frame >= *one.first) && (!one.last || frame <= *one.last);
}

}  // namespace

double series_deviation(const std::vector<double>& values) {
    double mean = 0, squares = 0;
    for (const double value : values) mean += value / static_cast<double>(values.size());
    for (const double value : values) squares += (value - mean) * (value - mean);
    const double deviation = values.empty() ? 0 : std::sqrt(squares / static_cast<double>(values.size()));
    return deviation > 0 ? deviation : 1;
}

double EventShare::hit_rate() const {
    return share_of(within, damaged);
}
double EventShare::false_alarm_rate() const {
    return share_of(alarmed, normal);
}

std::optional<EventShare> judge_series(const std::vector<JudgedSeries>& series,
                                       const std::vector<std::size_t>& members, const CpdSettings& settings,
                                       const std::function<bool()>& is_stopped) {
    EventShare out;
    for (const std::size_t i : members) {
        const JudgedSeries& one = series[i];
        const CpdResult found = detect_changes(one.values, settings, is_stopped);
        if (is_stopped()) return std::nullopt;
        ++(one.is_damaged ? out.damaged : out.normal);
        if (found.events.empty()) continue;
        if (!one.is_damaged) {
            ++out.alarmed;
            continue;
        }
        const auto surest =
            std::max_element(found.events.begin(), found.events.end(),
                             [](const CpdEvent& a, const CpdEvent& b) { return a.score < b.score; });
        if (std::llabs(one.frames[surest->index] - one.event) <= kEventReach) ++out.within;
    }
    return out;
}

std::optional<double> reference_hit_rate(const std::vector<JudgedSeries>& series, CpdSettings settings,
                                         std::optional<double> slack,
                                         const std::function<bool()>& is_stopped) {
    std::int64_t hits = 0;
    for (const JudgedSeries& one : series) {
        if (slack) settings.cusum.sensitivity = *slack * one.deviation;
        const CpdResult found = detect_changes(one.values, settings, is_stopped);
        if (is_stopped()) return std::nullopt;
        hits += std::any_of(found.events.begin(), found.events.end(),
                            [&](const CpdEvent& event) { return is_hit(one, event); })
                    ? 1
                    : 0;
    }
    return share_of(hits, static_cast<std::int64_t>(series.size()));
}

}  // namespace nightshift::jobs
