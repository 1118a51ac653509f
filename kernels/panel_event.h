#pragma once

#include <vector>

#include "kernels/track_view.h"

namespace nightshift::kernels {

/// When something happened to a panel: a kink that begins to grow while the panel follows its drive
/// faster. Either alone occurs without damage (a fold that yields, a panel that slips).
struct PanelEvent {
    std::vector<double> evidence;  ///< [frames] how well frame k is explained as the first one after it
    int frame = 0;                 ///< largest evidence
    double score = 0;              ///< how surely it happened at all; compare with normal panels' scores
    double place = 0;              ///< share of the length where the kink grows
};

/// in: tracks as panel_features() takes them (frames >= 20, points >= 60). No labels, no metadata, nothing
/// learned. Any thread; about 1 ms on one core. Source: own derivation.
PanelEvent panel_event(const TrackView& tracks);

}  // namespace nightshift::kernels
