#include "jobs/models/score_table.h"

#include <string>

namespace nightshift::jobs {

Table score_table(const FeatureSet& set, const std::vector<double>& scores) {
    Table table;
    if (set.is_plain()) {
        std::vector<double> rows(scores.size());
        for (std::size_t r = 0; r < rows.size(); ++r) rows[r] = static_cast<double>(r);
        table.add("row", std::move(rows));
    } else {
        std::vector<std::string> frames;
        for (const std::int64_t frame : set.frame) frames.push_back(frame < 0 ? "" : std::to_string(frame));
        table.add("sequence", set.sequence.strings());
        table.add("frame", std::move(frames));
    }
    table.add("score", scores);
    return table;
}

}  // namespace nightshift::jobs
