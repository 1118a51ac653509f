#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "jobs/evaluate/evaluation.h"

namespace nightshift::jobs {

/// How one model's scores lie, as SVG: shares of the normal units upwards, of the damaged ones downwards, the
/// threshold as a line. The outermost bins hold what lies beyond the middle 99 %. `which` are the judged
/// units; variants are left out. Empty where no score is finite.
std::string score_histogram_svg(const Units& units, const ModelResult& model,
                                const std::vector<std::size_t>& which);

}  // namespace nightshift::jobs
