#include "jobs/cpd/series.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <utility>

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

/// Series of one column, as its table's pieces come.
struct ColumnSeries {
    std::string column;
    std::vector<Series> series;
    std::map<std::string, std::size_t> at;  ///< name of a sequence -> its place in `series`

    void add(const std::string& name, double value, long long frame) {
        const auto [place, is_new] = at.try_emplace(name, series.size());
        if (is_new) series.push_back({name, column, {}, {}});
        series[place->second].values.push_back(value);
        series[place->second].frames.push_back(frame);
    }
};

void add_rows(const Table& piece, const std::string& by, std::size_t first, std::vector<ColumnSeries>& out) {
    const std::vector<std::string> names =
        by.empty() ? std::vector<std::string>(piece.rows()) : piece.text(by);
    const bool has_frames = !by.empty() && piece.find("frame") != nullptr;
    const std::vector<double> frames = has_frames ? piece.numbers("frame") : std::vector<double>();
    for (ColumnSeries& each : out) {
        const std::vector<double> values = piece.numbers(each.column);
        for (std::size_t row = 0; row < values.size(); ++row) {
            if (!std::isfinite(values[row]) || (has_frames && !std::isfinite(frames[row]))) continue;
            each.add(names[row], values[row],
                     has_frames ? std::llround(frames[row]) : static_cast<long long>(first + row));
        }
    }
}

}  // namespace

std::vector<Series> series_of_table(TableReader& table, const std::vector<std::string>& columns,
                                    const std::string& group) {
    Table piece = table_without_rows(table.columns());
    const std::string by = !group.empty() ? group : piece.find("sequence") != nullptr ? "sequence" : "";
    std::vector<ColumnSeries> found;
    for (const std::string& column : columns) found.push_back({column, {}, {}});
    std::size_t rows = 0;
    do {  // first without rows, so that a column that is not there is named in an empty table too
        add_rows(piece, by, rows, found);
        rows += piece.rows();
    } while (table.next(piece));
    std::vector<Series> out;
    for (ColumnSeries& each : found)
        std::move(each.series.begin(), each.series.end(), std::back_inserter(out));
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
