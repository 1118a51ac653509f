#pragma once

#include <string>

#include "jobs/fpcb/dataset.h"

namespace nightshift::jobs {

/// A sequence's time as a strip of SVG: the panel's mean displacement from frame to frame as a line, the true
/// event frame where one is known, and the step that is looked at. Empty below three frames.
std::string event_timeline_svg(const Sequence& sequence, int step_frame, const std::string& title);

}  // namespace nightshift::jobs
