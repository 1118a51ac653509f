#include "jobs/analyze/risk_chart.h"

#include <algorithm>

#include "jobs/evaluate/svg_chart.h"

namespace nightshift::jobs {
namespace {

// Geometry in CSS pixels: a row a group, its name on the left.
constexpr double kNames = 230, kPlot = 600, kRow = 44, kBars = 34, kFoot = 40;

const char* style_of(const RiskGroup& group) {
    return group.label == 1 ? "wrong" : group.label == 0 ? "right" : "tip";
}

std::string axis(double height) {
    std::string out;
    for (int i = 0; i <= 4; ++i) {
        const char* label[] = {"0", ".25", ".5", ".75", "1"};
        const double x = kNames + kPlot * i / 4.0;
        out += "<line class=\"grid\" x1=\"" + pixels(x) + "\" x2=\"" + pixels(x) + "\" y1=\"0\" y2=\"" +
               pixels(height) + "\"/><text class=\"tick\" text-anchor=\"middle\" x=\"" + pixels(x) +
               "\" y=\"" + pixels(height + 15) + "\">" + label[i] + "</text>";
    }
    return out + "<text class=\"axis\" text-anchor=\"middle\" x=\"" + pixels(kNames + kPlot / 2) + "\" y=\"" +
           pixels(height + 33) + "\">시퀀스 최대 위험도 largest risk of a sequence</text>";
}

std::string row(const RiskGroup& group, double top) {
    const auto tallest = static_cast<double>(
        std::max<std::size_t>(1, *std::max_element(group.bins.begin(), group.bins.end())));
    std::string out = "<text class=\"name\" x=\"0\" y=\"" + pixels(top + 18) + "\">" +
                      escaped(group_name(group)) + "</text><text class=\"tick\" x=\"0\" y=\"" +
                      pixels(top + 33) + "\">" + label_words(group.label) + " · " +
                      std::to_string(group.count) + "</text>";
    const double width = kPlot / static_cast<double>(kRiskBins);
    for (std::size_t b = 0; b < kRiskBins; ++b) {
        if (group.bins[b] == 0) continue;
        const double height = std::max(1.0, kBars * static_cast<double>(group.bins[b]) / tallest);
        out += std::string("<rect class=\"") + style_of(group) + "\" x=\"" +
               pixels(kNames + width * static_cast<double>(b)) + "\" y=\"" + pixels(top + kRow - 2 - height) +
               "\" width=\"" + pixels(width - 1) + "\" height=\"" + pixels(height) + "\"><title>" +
               std::to_string(group.bins[b]) + "</title></rect>";
    }
    return out;
}

}  // namespace

const char* label_words(int label) {
    return label == 1 ? "손상 damaged" : label == 0 ? "정상 normal" : "라벨 없음 no label";
}

std::string group_name(const RiskGroup& group) {
    if (group.is_rest) return "그 밖 others";
    return group.scenario.empty() ? "시나리오 미상 unknown" : group.scenario;
}

std::string risk_distributions_svg(const std::vector<RiskGroup>& groups) {
    const double height = kRow * static_cast<double>(groups.size()), width = kNames + kPlot + 10;
    std::string out = "<svg class=\"chart\" role=\"img\" viewBox=\"0 0 " + pixels(width) + " " +
                      pixels(height + kFoot) + "\" width=\"" + pixels(width) + "\" height=\"" +
                      pixels(height + kFoot) +
                      "\"><title>distribution of the largest risk by scenario</title>" + axis(height);
    for (std::size_t g = 0; g < groups.size(); ++g) out += row(groups[g], kRow * static_cast<double>(g));
    return out + "</svg>";
}

}  // namespace nightshift::jobs
