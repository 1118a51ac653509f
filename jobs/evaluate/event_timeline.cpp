#include "jobs/evaluate/event_timeline.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "jobs/evaluate/svg_chart.h"

namespace nightshift::jobs {
namespace {

// Geometry in CSS pixels.
constexpr double kWidth = 620, kHeight = 64, kTop = 14, kBottom = 18;

std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", value);
    return text;
}

/// Mean displacement of the points that both frames have, in pixels, of every step.
std::vector<double> steps_of(const Sequence& s) {
    std::vector<double> out;
    for (int f = 0; f + 1 < s.info.frames; ++f) {
        double sum = 0;
        int count = 0;
        for (int p = 0; p < s.info.points; ++p) {
            if (!s.is_present(f, p) || !s.is_present(f + 1, p)) continue;
            sum += std::hypot(s.x_px(f + 1, p) - s.x_px(f, p), s.y_px(f + 1, p) - s.y_px(f, p));
            ++count;
        }
        out.push_back(count == 0 ? 0 : sum / count);
    }
    return out;
}

std::string mark(double x, const char* style, const std::string& text) {
    return "<line class=\"line " + std::string(style) + "\" x1=\"" + number(x) + "\" x2=\"" + number(x) +
           "\" y1=\"" + number(kTop) + "\" y2=\"" + number(kHeight - kBottom) +
           "\"/><text class=\"tick\" x=\"" + number(x + (x > kWidth * .8 ? -4 : 4)) +
           "\" y=\"11\" text-anchor=\"" + (x > kWidth * .8 ? "end" : "start") + "\">" + text + "</text>";
}

}  // namespace

std::string event_timeline_svg(const Sequence& sequence, int step_frame, const std::string& title) {
    if (sequence.info.frames < 3) return "";
    const std::vector<double> steps = steps_of(sequence);
    const double largest = std::max(*std::max_element(steps.begin(), steps.end()), 1e-9);
    const double last = static_cast<double>(sequence.info.frames - 1);
    const auto x_of = [&](double frame) { return frame / last * kWidth; };
    std::string line;
    for (std::size_t f = 0; f < steps.size(); ++f) {
        line += number(x_of(static_cast<double>(f) + .5)) + "," +
                number(kHeight - kBottom - steps[f] / largest * (kHeight - kTop - kBottom)) + " ";
    }
    std::string out = "<svg class=\"chart\" role=\"img\" viewBox=\"0 0 " + number(kWidth) + " " +
                      number(kHeight) + "\" width=\"" + number(kWidth) + "\" height=\"" + number(kHeight) +
                      "\"><title>" + escaped(title) + "</title><polyline class=\"line s4\" points=\"" + line +
                      "\"/>";
    if (sequence.info.event_frame >= 0) {
        out += mark(x_of(sequence.info.event_frame), "s1",
                    "실제 사건 event " + std::to_string(sequence.info.event_frame));
    } else {
        out +=
            mark(x_of(step_frame + .5), "s0 dashed", "표시한 단계 step shown " + std::to_string(step_frame));
    }
    return out + "<text class=\"tick\" x=\"0\" y=\"" + number(kHeight - 4) +
           "\">0</text><text class=\"tick\" text-anchor=\"end\" x=\"" + number(kWidth) + "\" y=\"" +
           number(kHeight - 4) + "\">프레임 frame " + std::to_string(sequence.info.frames - 1) +
           "</text></svg>";
}

}  // namespace nightshift::jobs
