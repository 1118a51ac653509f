#include "jobs/evaluate/event_timeline.h"

#include <algorithm>
#include <vector>

#include "jobs/evaluate/svg_chart.h"
#include "jobs/evaluate/vector_map.h"

namespace nightshift::jobs {
namespace {

// Geometry in CSS pixels.
constexpr double kWidth = 620, kHeight = 64, kTop = 14, kBottom = 18;

std::string mark(double x, const char* style, const std::string& text) {
    return "<line class=\"line " + std::string(style) + "\" x1=\"" + pixels(x) + "\" x2=\"" + pixels(x) +
           "\" y1=\"" + pixels(kTop) + "\" y2=\"" + pixels(kHeight - kBottom) +
           "\"/><text class=\"tick\" x=\"" + pixels(x + (x > kWidth * .8 ? -4 : 4)) +
           "\" y=\"11\" text-anchor=\"" + (x > kWidth * .8 ? "end" : "start") + "\">" + text + "</text>";
}

}  // namespace

std::string event_timeline_svg(const Sequence& sequence, int step_frame, const std::string& title) {
    if (sequence.info.frames < 3) return "";
    std::vector<double> steps;
    for (int f = 0; f + 1 < sequence.info.frames; ++f) steps.push_back(mean_displacement(sequence, f));
    const double largest = std::max(*std::max_element(steps.begin(), steps.end()), 1e-9);
    const double last = static_cast<double>(sequence.info.frames - 1);
    const auto x_of = [&](double frame) { return frame / last * kWidth; };
    std::string line;
    for (std::size_t f = 0; f < steps.size(); ++f) {
        line += pixels(x_of(static_cast<double>(f) + .5)) + "," +
                pixels(kHeight - kBottom - steps[f] / largest * (kHeight - kTop - kBottom)) + " ";
    }
    std::string out = "<svg class=\"chart\" role=\"img\" viewBox=\"0 0 " + pixels(kWidth) + " " +
                      pixels(kHeight) + "\" width=\"" + pixels(kWidth) + "\" height=\"" + pixels(kHeight) +
                      "\"><title>" + escaped(title) + "</title><polyline class=\"line s4\" points=\"" + line +
                      "\"/>";
    if (sequence.info.event_frame >= 0) {
        out += mark(x_of(sequence.info.event_frame), "s1",
                    "실제 사건 event " + std::to_string(sequence.info.event_frame));
    } else {
        out +=
            mark(x_of(step_frame + .5), "s0 dashed", "표시한 단계 step shown " + std::to_string(step_frame));
    }
    return out + "<text class=\"tick\" x=\"0\" y=\"" + pixels(kHeight - 4) +
           "\">0</text><text class=\"tick\" text-anchor=\"end\" x=\"" + pixels(kWidth) + "\" y=\"" +
           pixels(kHeight - 4) + "\">프레임 frame " + std::to_string(sequence.info.frames - 1) +
           "</text></svg>";
}

}  // namespace nightshift::jobs
