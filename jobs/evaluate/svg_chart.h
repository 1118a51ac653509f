#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jobs/evaluate/metrics.h"

namespace nightshift::jobs {

/// Text safe inside HTML and SVG, attribute values included.
std::string escaped(std::string_view text);
/// A number with `digits` decimals; a dash where there is none.
std::string shown(double value, int digits = 3);

/// A place or a length in CSS pixels, to a tenth.
std::string pixels(double value);

/// A line in the unit square; colours follow from the index by style class (s0, s1, ...).
struct Curve {
    std::string name;
    std::vector<std::pair<double, double>> points;
    bool is_dashed = false;
    /// The operating point, drawn as a dot; outside 0..1 = none.
    double mark_x = -1, mark_y = -1;
};

/// An SVG of curves over [0, 1] x [0, 1] with grid, axis labels and the curves' names at the side.
std::string curves_svg(const std::vector<Curve>& curves, const std::string& x_label,
                       const std::string& y_label, const std::string& title);

/// Points of a curve thinned to what a screen can show; first and last stay.
std::vector<std::pair<double, double>> thinned(std::vector<std::pair<double, double>> points);

/// A two-by-two table of decisions as SVG, shaded by the share of its row.
std::string confusion_svg(const Confusion& confusion, const std::string& title);

}  // namespace nightshift::jobs
