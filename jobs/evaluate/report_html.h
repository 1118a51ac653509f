#pragma once

#include <string>
#include <vector>

#include "jobs/evaluate/evaluation.h"
#include "jobs/evaluate/findings.h"
#include "jobs/evaluate/report_maps.h"

namespace nightshift::jobs {

/// One self-contained page, Korean and English: no script, no link, no outside file; one style element and
/// inline SVG, so that it shows under a sandboxing Content-Security-Policy. Light and dark by the system.
std::string report_html(const Evaluation& evaluation, const std::vector<Finding>& findings,
                        const std::vector<ReportMap>& maps);

}  // namespace nightshift::jobs
