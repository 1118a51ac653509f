#include "jobs/evaluate/vector_map.h"

#include <algorithm>
#include <cmath>

#include "jobs/evaluate/svg_chart.h"

namespace nightshift::jobs {
namespace {

constexpr double kWidth = 620, kHeight = 420, kMargin = 30;
constexpr int kMoments = 5;
constexpr int kArrowsMax = 40;
/// Length of the longest arrow on screen.
constexpr double kArrowLength = 46;
/// Shorter ones are pixel noise.
constexpr double kArrowLengthMin = 4;

struct Window {
    double left = 1e300, top = 1e300, right = -1e300, bottom = -1e300;

    void add(double x, double y) {
        left = std::min(left, x), right = std::max(right, x);
        top = std::min(top, y), bottom = std::max(bottom, y);
    }
    double scale() const {
        return std::min((kWidth - 2 * kMargin) / std::max(right - left, 1.0),
                        (kHeight - 2 * kMargin) / std::max(bottom - top, 1.0));
    }
    double x(double value) const { return kMargin + (value - left) * scale(); }
    double y(double value) const { return kMargin + (value - top) * scale(); }
};

bool is_there(const Sequence& s, int frame, int point) {
    return s.is_present(frame, point) && s.is_present(frame + 1, point);
}

double displacement(const Sequence& s, int frame, int point) {
    return std::hypot(s.x_px(frame + 1, point) - s.x_px(frame, point),
                      s.y_px(frame + 1, point) - s.y_px(frame, point));
}

std::string panel(const Sequence& s, const Window& window, int frame, const char* style) {
    std::string out = std::string("<polyline class=\"") + style + "\" points=\"";
    for (int p = 0; p < s.info.points; ++p) {
        if (s.is_present(frame, p))
            out += pixels(window.x(s.x_px(frame, p))) + "," + pixels(window.y(s.y_px(frame, p))) + " ";
    }
    return out + "\"/>";
}

}  // namespace

double mean_displacement(const Sequence& s, int frame) {
    double sum = 0;
    int count = 0;
    for (int p = 0; p < s.info.points; ++p) {
        if (is_there(s, frame, p)) sum += displacement(s, frame, p), ++count;
    }
    return count == 0 ? 0 : sum / count;
}

MapStep step_into(const Sequence& s, int frame) {
    MapStep step{std::clamp(frame - 1, 0, std::max(s.info.frames - 2, 0)), 0};
    for (int p = 0; s.info.frames > 1 && p < s.info.points; ++p) {
        if (is_there(s, step.frame, p))
            step.longest_px = std::max(step.longest_px, displacement(s, step.frame, p));
    }
    return step;
}

MapStep step_to_show(const Sequence& s) {
    if (s.info.frames < 3) return {};
    if (s.info.event_frame > 0 && s.info.event_frame < s.info.frames) return step_into(s, s.info.event_frame);
    int shown = 0;
    double before = mean_displacement(s, 0), largest = -1;
    for (int f = 1; f + 1 < s.info.frames; ++f) {
        const double now = mean_displacement(s, f);
        if (std::abs(now - before) > largest) largest = std::abs(now - before), shown = f;
        before = now;
    }
    return step_into(s, shown + 1);
}

std::string vector_map_svg(const Sequence& s, const MapStep& step, const std::string& title) {
    if (s.info.frames < 2 || s.info.points < 1) return "";
    Window window;
    for (int m = 0; m < kMoments; ++m) {
        const int frame = m * (s.info.frames - 1) / (kMoments - 1);
        for (int p = 0; p < s.info.points; ++p) {
            if (s.is_present(frame, p)) window.add(s.x_px(frame, p), s.y_px(frame, p));
        }
    }
    std::string out =
        "<svg class=\"chart map\" role=\"img\" viewBox=\"0 0 " + pixels(kWidth) + " " + pixels(kHeight) +
        "\" width=\"" + pixels(kWidth) + "\" height=\"" + pixels(kHeight) + "\"><title>" + escaped(title) +
        "</title><defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"6\" "
        "markerHeight=\"6\" orient=\"auto\"><path class=\"tip\" d=\"M0 0 8 4 0 8z\"/></marker></defs>";
    for (int m = 0; m < kMoments; ++m) {
        const int frame = m * (s.info.frames - 1) / (kMoments - 1);
        out += panel(s, window, frame, "ghost");
        out += "<text class=\"tick\" x=\"" + pixels(window.x(s.x_px(frame, s.info.points - 1)) + 4) +
               "\" y=\"" + pixels(window.y(s.y_px(frame, s.info.points - 1)) - 4) + "\">" +
               std::to_string(frame) + "</text>";
    }
    out += panel(s, window, step.frame, "panel");
    const double stretch = kArrowLength / std::max(step.longest_px, 1e-6);
    const int stride = std::max(1, s.info.points / kArrowsMax);
    for (int p = 0; p < s.info.points; p += stride) {
        if (!is_there(s, step.frame, p) || displacement(s, step.frame, p) * stretch < kArrowLengthMin)
            continue;
        const double x = window.x(s.x_px(step.frame, p)), y = window.y(s.y_px(step.frame, p));
        const double dx = (s.x_px(step.frame + 1, p) - s.x_px(step.frame, p)) * stretch;
        const double dy = (s.y_px(step.frame + 1, p) - s.y_px(step.frame, p)) * stretch;
        out += "<line class=\"arrow\" marker-end=\"url(#tip)\" x1=\"" + pixels(x) + "\" y1=\"" + pixels(y) +
               "\" x2=\"" + pixels(x + dx) + "\" y2=\"" + pixels(y + dy) + "\"/>";
    }
    return out + "</svg>";
}

std::string vector_map_file(const Sequence& sequence, const MapStep& step, const std::string& title) {
    std::string map = vector_map_svg(sequence, step, title);
    if (map.empty()) return map;
    const std::size_t inside = map.find('>') + 1;
    map.insert(inside,
               "<style>svg{background:#fff;font-family:sans-serif}.tick{font-size:11px;fill:#667}"
               ".ghost{fill:none;stroke:#99a;stroke-opacity:.45}.panel{fill:none;stroke:#223;stroke-width:2}"
               ".arrow{stroke:#b3541e;stroke-width:1.5}.tip{fill:#b3541e}</style>");
    map.insert(4, " xmlns=\"http://www.w3.org/2000/svg\"");
    return map + "\n";
}

}  // namespace nightshift::jobs
