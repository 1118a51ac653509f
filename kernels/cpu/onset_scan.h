#pragma once

#include <vector>

#include "kernels/cpu/panel_shape.h"

namespace nightshift::kernels {

/// Places `near` to `far` away on both sides of a place: the arms whose directions make its bend. Long
/// arms measure better (slope error falls with length^1.5), short ones tell neighbours apart.
struct Arms {
    int near, far;
};

/// Does the bend at some place grow from some frame on? K(t) = mean of phi over one arm less that over
/// the other is fitted with [1, theta] (and theta^2, which takes slow yielding) and then with theta from
/// frame tau on.
struct OnsetScan {
    int first = 0, last = 0;            ///< frames tau that were tried
    std::vector<double> z;              ///< [frames] largest growth over all places, in standard errors
    std::vector<double> height;         ///< [frames] extra angle share of that place
    std::vector<int> place;             ///< [frames]
    double best_z = 0, best_height = 0;
    int best_frame = 0, best_place = 0;
    double least_z = 0;                 ///< most negative: shrinking bends do not occur
    double elsewhere_z = 0;             ///< largest growth of the same frame at another place
};
OnsetScan scan_onset(const PanelShape& shape, Arms arms, bool with_yield);

/// The same before the largest are picked: how sure it is that each place bends more from each frame on.
struct OnsetMap {
    int first = 0, last = 0;       ///< frames tau that were tried
    int place_first = 0;           ///< place of the first column: an arm's length from the end
    int places = 0;
    double error = 0;              ///< standard error of one residual bend, rad
    std::vector<double> z;         ///< [frames, places] growth in standard errors; 0 in frames not tried
    std::vector<double> norm;      ///< [frames] length of the step's own part; 0: the frame was not tried

    double at(int frame, int column) const {
        return z[static_cast<std::size_t>(frame) * static_cast<std::size_t>(places) +
                 static_cast<std::size_t>(column)];
    }
};
OnsetMap map_onset(const PanelShape& shape, Arms arms, bool with_yield);

}  // namespace nightshift::kernels
