#pragma once

#include <string>

#include "jobs/evaluate/evaluation.h"
#include "jobs/evaluate/findings.h"

namespace nightshift::jobs {

/// The displacement field of one sequence, ready to embed; `svg` empty = none.
struct ReportMap {
    std::string svg, caption_en, caption_ko;
};

/// One self-contained page, Korean and English: no script, no link, no outside file; one style element and
/// inline SVG, so that it shows under a sandboxing Content-Security-Policy. Light and dark by the system.
std::string report_html(const Evaluation& evaluation, const std::vector<Finding>& findings,
                        const ReportMap& map);

}  // namespace nightshift::jobs
