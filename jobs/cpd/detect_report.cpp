#include "jobs/cpd/detect_report.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "jobs/evaluate/report_parts.h"
#include "jobs/evaluate/svg_chart.h"

namespace nightshift::jobs {
namespace {

constexpr std::size_t kChartsShown = 12, kEventsShown = 200, kPointsShown = 400;
// Of a chart, in CSS pixels.
constexpr double kWidth = 480, kHeight = 110, kEdge = 6;

double top_score(const Detected& each) {
    double top = 0;
    for (const DetectedEvent& event : each.events) top = std::max(top, event.score);
    return top;
}

std::string number(double value) {
    return shown(value, 1);
}

std::string marker(double x, const char* style) {
    return std::string("<line class=\"line ") + style + "\" x1=\"" + number(x) + "\" x2=\"" + number(x) +
           "\" y1=\"0\" y2=\"" + number(kHeight) + "\"/>";
}

/// The signal with its events as upright lines, the true one dashed.
std::string series_svg(const Detected& each, const std::vector<double>& values) {
    const std::size_t n = values.size();
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    const double span = std::max(*high - *low, 1e-12);
    const auto x_of = [&](std::size_t index) {
        return kEdge + (kWidth - 2 * kEdge) * static_cast<double>(index) /
                           static_cast<double>(std::max<std::size_t>(n - 1, 1));
    };
    std::string out = "<svg class=\"chart\" role=\"img\" viewBox=\"0 0 " + number(kWidth) + " " +
                      number(kHeight) + "\" width=\"" + number(kWidth) + "\" height=\"" + number(kHeight) +
                      "\"><title>" + escaped(each.sequence) + "</title>";
    if (each.true_event >= 0) out += marker(x_of(static_cast<std::size_t>(each.true_event)), "s4 dashed");
    for (std::size_t k = 0; k < std::min(each.events.size(), kEventsShown); ++k)
        out += marker(x_of(each.events[k].index), "s1");
    out += "<polyline class=\"line s0\" points=\"";
    // Long series are drawn by the lowest and highest sample of each stretch, so that no peak is lost.
    const std::size_t stretch = std::max<std::size_t>(1, 2 * n / kPointsShown);
    for (std::size_t first = 0; first < n; first += stretch) {
        const auto begin = values.begin() + static_cast<std::ptrdiff_t>(first);
        const auto end = values.begin() + static_cast<std::ptrdiff_t>(std::min(first + stretch, n));
        auto [a, b] = std::minmax_element(begin, end);
        if (a > b) std::swap(a, b);
        for (const auto at : {a, b}) {
            const double y = kHeight - kEdge - (kHeight - 2 * kEdge) * (*at - *low) / span;
            out += number(x_of(static_cast<std::size_t>(at - values.begin()))) + "," + number(y) + " ";
            if (a == b) break;
        }
    }
    return out + "\"/></svg>";
}

std::string charts(const std::vector<Detected>& found, const std::vector<std::size_t>& order,
                   const std::function<DetectedSeries(std::size_t)>& series_of) {
    std::string out = "<div class=\"row\">";
    for (std::size_t i = 0; i < std::min(order.size(), kChartsShown); ++i) {
        const Detected& each = found[order[i]];
        const DetectedSeries series = series_of(order[i]);
        std::string words;
        for (std::size_t k = 0; k < std::min<std::size_t>(each.events.size(), 8); ++k)
            words += (k == 0 ? "" : ", ") + std::to_string(each.events[k].frame);
        if (each.events.size() > 8) words += ", …";
        out += "<figure>" + series_svg(each, series.values) + "<figcaption>" +
               escaped(each.sequence + (each.scenario.empty() ? "" : " · " + each.scenario)) + " · " +
               (words.empty() ? "변화점 없음 none" : "변화점 at " + words) +
               (each.true_event < 0
                    ? ""
                    : " · 실제 true " +
                          std::to_string(series.frames[static_cast<std::size_t>(each.true_event)])) +
               "</figcaption></figure>";
    }
    return out + "</div>";
}

std::string event_table(const std::vector<Detected>& found, const std::vector<std::size_t>& order) {
    std::string out = head({"시퀀스 sequence", "프레임 frame", "점수 score"});
    std::size_t rows = 0;
    for (const std::size_t i : order) {
        for (const DetectedEvent& event : found[i].events) {
            if (++rows > kEventsShown) break;
            out += "<tr>" + cell(escaped(found[i].sequence), false) + cell(std::to_string(event.frame)) +
                   cell(shown(event.score, 3)) + "</tr>";
        }
    }
    return out + "</tbody></table></div>";
}

}  // namespace

std::string detect_report_html(const std::vector<Detected>& found,
                               const std::function<DetectedSeries(std::size_t)>& series_of,
                               const DetectFacts& facts) {
    std::vector<std::size_t> order(found.size());
    std::iota(order.begin(), order.end(), 0);
    std::size_t events = 0, with_events = 0;
    for (const Detected& each : found) {
        events += each.events.size();
        with_events += each.events.empty() ? 0 : 1;
    }
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return top_score(found[a]) > top_score(found[b]); });
    std::string out =
        page_start("변화점 · change points") +
        "<h1>변화점 검출 <span lang=\"en\">change points</span></h1><p>" + escaped(facts.source) +
        "</p><div class=\"facts\">" + fact("방법 method", escaped(facts.method)) +
        fact("신호 signal", escaped(facts.signal)) + fact("시퀀스 sequences", std::to_string(found.size())) +
        fact("변화점 있음 with events", std::to_string(with_events)) +
        fact("변화점 events", std::to_string(events));
    if (std::isfinite(facts.threshold)) out += fact("임계값 threshold", shown(facts.threshold, 3));
    out += "</div>";
    if (!facts.threshold_note_en.empty()) {
        out += "<p>" + escaped(facts.threshold_note_ko) + " <span lang=\"en\">" +
               escaped(facts.threshold_note_en) + "</span></p>";
    }
    out += heading("신호와 변화점", "signals and events") + charts(found, order, series_of) +
           heading("목록", "list") + event_table(found, order);
    if (events > kEventsShown) {
        out += "<p>처음 " + std::to_string(kEventsShown) +
               "개, 전체는 events.csv. <span lang=\"en\">The first " + std::to_string(kEventsShown) +
               "; all of them are in events.csv.</span></p>";
    }
    return out + "</body></html>\n";
}

}  // namespace nightshift::jobs
