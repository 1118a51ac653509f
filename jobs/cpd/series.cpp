#include "jobs/cpd/series.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "jobs/fpcb/frame_metrics.h"
#include "jobs/runtime/job_impl.h"
#include "kernels/compat_features.h"

namespace nightshift::jobs {
namespace {

std::size_t acceleration_column() {
    const auto& names = kernels::compat_columns();
    return static_cast<std::size_t>(std::find(names.begin(), names.end(), "acceleration_max") -
                                    names.begin());
}

}  // namespace

std::vector<Series> series_of_table(const Table& table, const std::vector<std::string>& columns,
                                    const std::string& group) {
    const std::string by = !group.empty() ? group : table.find("sequence") != nullptr ? "sequence" : "";
    const std::vector<std::string> names =
        by.empty() ? std::vector<std::string>(table.rows()) : table.text(by);
    const bool has_frames = !by.empty() && table.find("frame") != nullptr;
    const std::vector<double> frames = has_frames ? table.numbers("frame") : std::vector<double>();
    std::vector<Series> out;
    for (const std::string& column : columns) {
        const std::vector<double> values = table.numbers(column);
        std::map<std::string, std::size_t> at;
        for (std::size_t row = 0; row < values.size(); ++row) {
            if (!std::isfinite(values[row]) || (has_frames && !std::isfinite(frames[row]))) continue;
            const auto [place, is_new] = at.try_emplace(names[row], out.size());
            if (is_new) out.push_back({names[row], column, {}, {}});
            Series& series = out[place->second];
            series.values.push_back(values[row]);
            series.frames.push_back(has_frames ? std::llround(frames[row]) : static_cast<long long>(row));
        }
    }
    if (out.empty()) {
        throw JobError("no_values", "the table has no row with a number in that column; name another column");
    }
    return out;
}

Series peak_acceleration(const Sequence& sequence) {
    static const std::size_t column = acceleration_column();
    const auto frames = static_cast<std::size_t>(sequence.info.frames);
    const std::vector<double> none(frames, 0);
    // The generator's own columns, which the features carry along, are of no use here.
    const auto features = kernels::compat_features(view_of(sequence), {none, none, none});
    Series out;
    out.sequence = sequence.info.name;
    out.column = "acceleration_max";
    for (std::size_t f = 0; f < frames; ++f) {
        out.values.push_back(features.rows[f * kernels::kCompatColumns + column]);
        out.frames.push_back(sequence.frame_number[f]);
    }
    return out;
}

}  // namespace nightshift::jobs
