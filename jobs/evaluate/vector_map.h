#pragma once

#include <string>

#include "jobs/fpcb/dataset.h"

namespace nightshift::jobs {

/// Which step of a sequence a map shows.
struct MapStep {
    int frame = 0;          ///< displacement from this frame to the next
    double longest_px = 0;  ///< longest displacement of a point in it
};

/// The step to show: into the event frame where one is known, else the one with the largest change of
/// speed between neighbouring steps. Frames of fewer than three give step 0.
MapStep step_to_show(const Sequence& sequence);

/// Mean displacement, in pixels, of the points that a frame and the next one both have; 0 where none.
double mean_displacement(const Sequence& sequence, int frame);

/// The step into a frame; into frame 0 is that out of it.
MapStep step_into(const Sequence& sequence, int frame);

/// The displacement field of one step as SVG: the panel at five moments as thin lines, at the step as a
/// bold one, and an arrow for every few points, lengthened so that the longest can be seen.
std::string vector_map_svg(const Sequence& sequence, const MapStep& step, const std::string& title);

/// The same as a file of its own, with its colours in it; empty where there is no map.
std::string vector_map_file(const Sequence& sequence, const MapStep& step, const std::string& title);

}  // namespace nightshift::jobs
