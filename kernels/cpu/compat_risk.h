#pragma once

#include <cstddef>
#include <vector>

#include "kernels/compat_vectors.h"
#include "kernels/cpu/compat_columns.h"

namespace nightshift::kernels {

/// Fills strain and crack_risk of a table whose other columns are there. starts [points + 1]: where the rows
/// of each point begin; columns: those of `out`; is_plain: rates and units are usual (see is_usual).
void add_strain_and_risk(const TrackView& tracks, const FrameMetrics* metrics, const CompatRisk& risk,
                         const std::vector<std::size_t>& starts, const CompatLoops& loops, bool is_plain,
                         const CompatColumns& columns, CompatVectors& out);

}  // namespace nightshift::kernels
