#pragma once

#include <string>
#include <vector>

#include "jobs/evaluate/evaluation.h"
#include "jobs/fpcb/dataset.h"

namespace nightshift::jobs {

/// The displacement field of one sequence and its time line, ready to embed.
struct ReportMap {
    std::string svg, timeline, caption_en, caption_ko;
};

/// Judged sequences of the first model that are worth a look: the damaged one that it is surest of, the
/// damaged one that it misses by most, the normal one that it calls damaged most. Reads them from `dataset`,
/// which has to hold every unit. Throws JobError, see Dataset::read().
std::vector<ReportMap> report_maps(const Evaluation& evaluation, const Dataset& dataset);

}  // namespace nightshift::jobs
