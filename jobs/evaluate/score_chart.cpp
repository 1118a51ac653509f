#include "jobs/evaluate/score_chart.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "jobs/evaluate/svg_chart.h"

namespace nightshift::jobs {
namespace {

constexpr std::size_t kBins = 40;
// Geometry in CSS pixels: bars on both sides of a middle line, labels below.
constexpr double kWidth = 420, kHalf = 74, kTop = 20, kBottom = 36;
constexpr double kTail = 0.005;

using Bins = std::array<double, kBins>;

struct Range {
    double low = 0, high = 1;

    std::size_t bin_of(double score) const {
        const double place = (score - low) / (high - low) * static_cast<double>(kBins);
        return static_cast<std::size_t>(std::clamp(place, 0.0, static_cast<double>(kBins - 1)));
    }
    double x_of(double score) const { return std::clamp((score - low) / (high - low), 0.0, 1.0) * kWidth; }
};

Range range_of(std::vector<double> scores) {
    std::sort(scores.begin(), scores.end());
    const double last = static_cast<double>(scores.size() - 1);
    Range range{scores[static_cast<std::size_t>(std::floor(kTail * last))],
                scores[static_cast<std::size_t>(std::ceil((1 - kTail) * last))]};
    if (!(range.high > range.low)) range.high = range.low + 1;
    return range;
}

std::string bars(const Bins& shares, double largest, bool is_up, const char* style) {
    std::string out;
    const double width = kWidth / static_cast<double>(kBins), middle = kTop + kHalf;
    for (std::size_t bin = 0; bin < kBins; ++bin) {
        if (shares[bin] == 0) continue;
        const double height = std::max(shares[bin] / largest * kHalf, 0.5);
        out += std::string("<rect class=\"") + style + "\" x=\"" +
               pixels(width * static_cast<double>(bin) + 0.5) + "\" y=\"" +
               pixels(is_up ? middle - height : middle) + "\" width=\"" + pixels(width - 1) + "\" height=\"" +
               pixels(height) + "\"/>";
    }
    return out;
}

std::string label(double x, double y, const char* anchor, const std::string& text) {
    return "<text class=\"tick\" text-anchor=\"" + std::string(anchor) + "\" x=\"" + pixels(x) + "\" y=\"" +
           pixels(y) + "\">" + text + "</text>";
}

}  // namespace

std::string score_histogram_svg(const Units& units, const ModelResult& model,
                                const std::vector<std::size_t>& which) {
    std::array<std::vector<double>, 2> scores;
    std::vector<double> all;
    for (const std::size_t unit : which) {
        if (units.is_outside[unit] != 0 || !std::isfinite(model.scores[unit])) continue;
        scores[units.label[unit] == 1 ? 1 : 0].push_back(model.scores[unit]);
        all.push_back(model.scores[unit]);
    }
    if (all.empty()) return "";
    const Range range = range_of(all);
    std::array<Bins, 2> shares{};
    double largest = 0;
    for (const std::size_t side : {std::size_t{0}, std::size_t{1}}) {
        for (const double score : scores[side])
            shares[side][range.bin_of(score)] += 1.0 / static_cast<double>(scores[side].size());
        for (const double share : shares[side]) largest = std::max(largest, share);
    }
    const double height = kTop + 2 * kHalf + kBottom, below = kTop + 2 * kHalf;
    const std::string threshold = pixels(range.x_of(model.threshold));
    return "<svg class=\"chart\" role=\"img\" viewBox=\"0 0 " + pixels(kWidth) + " " + pixels(height) +
           "\" width=\"" + pixels(kWidth) + "\" height=\"" + pixels(height) + "\"><title>" +
           escaped(model.name) + ": scores</title>" + bars(shares[0], largest, true, "normal") +
           bars(shares[1], largest, false, "damaged") + "<line class=\"grid\" x1=\"0\" x2=\"" +
           pixels(kWidth) + "\" y1=\"" + pixels(kTop + kHalf) + "\" y2=\"" + pixels(kTop + kHalf) +
           "\"/><line class=\"line dashed s4\" x1=\"" + threshold + "\" x2=\"" + threshold + "\" y1=\"" +
           pixels(kTop - 4) + "\" y2=\"" + pixels(below) + "\"/>" +
           label(0, 12, "start", "▲ 정상 normal " + std::to_string(scores[0].size())) +
           label(0, below + 14, "start", "▼ 손상 damaged " + std::to_string(scores[1].size())) +
           label(range.x_of(model.threshold), below + 14, "middle", shown(model.threshold, 3)) +
           label(0, below + 30, "start", "≤ " + shown(range.low, 3)) +
           label(kWidth, below + 30, "end", "≥ " + shown(range.high, 3)) + "</svg>";
}

}  // namespace nightshift::jobs
