#include "jobs/evaluate/svg_chart.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace nightshift::jobs {
namespace {

// Geometry in CSS pixels: a square plot with room for labels and the names beside it.
constexpr double kSide = 236, kLeft = 46, kTop = 12, kBottom = 40, kNames = 212;
constexpr std::size_t kPointsMax = 400;
constexpr int kStyles = 6;

double x_of(double value) {
    return kLeft + value * kSide;
}
double y_of(double value) {
    return kTop + (1 - value) * kSide;
}

std::string style_of(std::size_t index) {
    return "s" + std::to_string(index % kStyles);
}

std::string grid() {
    std::string out;
    for (int i = 0; i <= 4; ++i) {
        const double at = i / 4.0;
        const char* label[] = {"0", ".25", ".5", ".75", "1"};
        out += "<line class=\"grid\" x1=\"" + pixels(x_of(0)) + "\" x2=\"" + pixels(x_of(1)) + "\" y1=\"" +
               pixels(y_of(at)) + "\" y2=\"" + pixels(y_of(at)) + "\"/><line class=\"grid\" x1=\"" +
               pixels(x_of(at)) + "\" x2=\"" + pixels(x_of(at)) + "\" y1=\"" + pixels(y_of(0)) + "\" y2=\"" +
               pixels(y_of(1)) + "\"/>";
        out += "<text class=\"tick\" x=\"" + pixels(x_of(at)) + "\" y=\"" + pixels(y_of(0) + 15) +
               "\" text-anchor=\"middle\">" + label[i] + "</text><text class=\"tick\" x=\"" +
               pixels(x_of(0) - 6) + "\" y=\"" + pixels(y_of(at) + 4) + "\" text-anchor=\"end\">" + label[i] +
               "</text>";
    }
    return out;
}

}  // namespace

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

std::string shown(double value, int digits) {
    if (!std::isfinite(value)) return "–";
    char text[40];
    std::snprintf(text, sizeof text, "%.*f", digits, value);
    return text;
}

std::string pixels(double value) {
    return shown(value, 1);
}

std::vector<std::pair<double, double>> thinned(std::vector<std::pair<double, double>> points) {
    if (points.size() <= kPointsMax) return points;
    std::vector<std::pair<double, double>> out;
    for (std::size_t i = 0; i < kPointsMax; ++i)
        out.push_back(points[i * (points.size() - 1) / (kPointsMax - 1)]);
    return out;
}

std::string curves_svg(const std::vector<Curve>& curves, const std::string& x_label,
                       const std::string& y_label, const std::string& title) {
    const double width = kLeft + kSide + kNames, height = kTop + kSide + kBottom;
    std::string out = "<svg class=\"chart\" role=\"img\" viewBox=\"0 0 " + pixels(width) + " " +
                      pixels(height) + "\" width=\"" + pixels(width) + "\" height=\"" + pixels(height) +
                      "\"><title>" + escaped(title) + "</title>" + grid();
    for (std::size_t c = 0; c < curves.size(); ++c) {
        const Curve& curve = curves[c];
        out += "<polyline class=\"line " + style_of(c) + (curve.is_dashed ? " dashed" : "") + "\" points=\"";
        for (const auto& [x, y] : thinned(curve.points)) out += pixels(x_of(x)) + "," + pixels(y_of(y)) + " ";
        out += "\"/>";
        if (curve.mark_x >= 0 && curve.mark_x <= 1) {
            out += "<circle class=\"mark " + style_of(c) + "\" r=\"4\" cx=\"" + pixels(x_of(curve.mark_x)) +
                   "\" cy=\"" + pixels(y_of(curve.mark_y)) + "\"/>";
        }
        const double at = kTop + 12 + 20 * static_cast<double>(c), left = kLeft + kSide + 12;
        out += "<line class=\"line " + style_of(c) + (curve.is_dashed ? " dashed" : "") + "\" x1=\"" +
               pixels(left) + "\" x2=\"" + pixels(left + 22) + "\" y1=\"" + pixels(at - 4) + "\" y2=\"" +
               pixels(at - 4) + "\"/><text class=\"name\" x=\"" + pixels(left + 28) + "\" y=\"" + pixels(at) +
               "\">" + escaped(curve.name) + "</text>";
    }
    out += "<text class=\"axis\" text-anchor=\"middle\" x=\"" + pixels(x_of(.5)) + "\" y=\"" +
           pixels(height - 6) + "\">" + escaped(x_label) +
           "</text><text class=\"axis\" text-anchor=\"middle\" transform=\"rotate(-90)\" x=\"" +
           pixels(-y_of(.5)) + "\" y=\"12\">" + escaped(y_label) + "</text></svg>";
    return out;
}

std::string confusion_svg(const Confusion& c, const std::string& title) {
    constexpr double kCell = 92, kHead = 64, kRow = 26;
    const std::int64_t cells[2][2] = {{c.true_negative, c.false_positive},
                                      {c.false_negative, c.true_positive}};
    const char* actual[] = {"정상", "손상"};
    const char* called[] = {"정상 판정", "손상 판정"};
    std::string out =
        "<svg class=\"chart\" role=\"img\" viewBox=\"0 0 270 220\" width=\"270\" height=\"220\"><title>" +
        escaped(title) + "</title>";
    for (int row = 0; row < 2; ++row) {
        const double sum = static_cast<double>(std::max<std::int64_t>(cells[row][0] + cells[row][1], 1));
        out += "<text class=\"axis\" x=\"0\" y=\"" + pixels(kRow + kCell * row + kCell / 2) + "\">" +
               actual[row] + "</text><text class=\"tick\" x=\"0\" y=\"" +
               pixels(kRow + kCell * row + kCell / 2 + 15) + "\">" + (row == 0 ? "normal" : "damaged") +
               "</text>";
        out += "<text class=\"axis\" text-anchor=\"middle\" x=\"" + pixels(kHead + kCell * row + kCell / 2) +
               "\" y=\"16\">" + called[row] + "</text>";
        for (int column = 0; column < 2; ++column) {
            const double share = static_cast<double>(cells[row][column]) / sum;
            const double x = kHead + kCell * column, y = kRow + kCell * row;
            out += std::string("<rect class=\"cell ") + (row == column ? "right" : "wrong") + "\" x=\"" +
                   pixels(x) + "\" y=\"" + pixels(y) + "\" width=\"" + pixels(kCell - 4) + "\" height=\"" +
                   pixels(kCell - 4) + "\" fill-opacity=\"" + shown(0.06 + 0.34 * share, 2) +
                   "\"/><text class=\"count\" text-anchor=\"middle\" x=\"" + pixels(x + kCell / 2 - 2) +
                   "\" y=\"" + pixels(y + kCell / 2) + "\">" + std::to_string(cells[row][column]) +
                   "</text><text class=\"tick\" text-anchor=\"middle\" x=\"" + pixels(x + kCell / 2 - 2) +
                   "\" y=\"" + pixels(y + kCell / 2 + 18) + "\">" + shown(100 * share, 1) + " %</text>";
        }
    }
    return out + "</svg>";
}

}  // namespace nightshift::jobs
