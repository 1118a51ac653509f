#include "jobs/fpcb/compat_rows.h"

#include <algorithm>
#include <limits>
#include <type_traits>
#include <utility>
#include <variant>

#include "jobs/fpcb/frame_metrics.h"

namespace nightshift::jobs {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kRowColumns = 2;  ///< sequence, frame

/// The column's values, as many as there are rows; of what was in them nothing is said.
template <typename T>
std::vector<T>& sized(Column& column, std::size_t rows) {
    if (!std::holds_alternative<std::vector<T>>(column.values)) column.values = std::vector<T>();
    auto& values = std::get<std::vector<T>>(column.values);
    values.resize(rows);
    return values;
}

}  // namespace

CompatRows::CompatRows(const Dataset& dataset, const FeatureTableOptions& options)
    : dataset_(dataset), options_(options), features_(kernels::compat_columns()) {
    if (options.set == "compat21") features_.resize(kernels::kCompatBaseColumns);
    own_ = features_.size();
    if (!has_global()) return;
    for (const std::string& name : kernels::compat_global_columns()) features_.push_back(name);
}

std::size_t CompatRows::rows_of(const CompatSequenceRows& part) const {
    return part.frames.size() + (has_global() ? 1 : 0);
}

CompatSequenceRows CompatRows::of(std::size_t i) const {
    Sequence s = dataset_.read(i);
    kernels::CompatFeatures features = kernels::compat_features(view_of(s), frame_metrics_of(s));
    return {std::move(s.frame_number), std::move(features)};
}

void CompatRows::put_names(std::vector<Column>& columns, const std::vector<CompatSequenceRows>& parts,
                           std::size_t first, std::size_t rows) const {
    columns[0].name = "sequence";
    columns[1].name = "frame";
    auto& sequence = sized<std::string>(columns[0], rows);
    auto& frame = sized<double>(columns[1], rows);
    std::size_t at = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const std::size_t end = at + rows_of(parts[i]);
        std::fill(sequence.begin() + static_cast<std::ptrdiff_t>(at),
                  sequence.begin() + static_cast<std::ptrdiff_t>(end), dataset_.info(first + i).name);
        std::copy(parts[i].frames.begin(), parts[i].frames.end(),
                  frame.begin() + static_cast<std::ptrdiff_t>(at));
        if (has_global()) frame[end - 1] = kNaN;
        at = end;
    }
}

template <typename T>
void CompatRows::put_column(const CompatSequenceRows& part, std::size_t j, T* to) const {
    const std::size_t frames = part.frames.size();
    if (j < own_) {
        const double* from = part.features.rows.data() + j;
        for (std::size_t f = 0; f < frames; ++f) to[f] = static_cast<T>(from[f * kernels::kCompatColumns]);
        if (has_global()) to[frames] = static_cast<T>(kNaN);
        return;
    }
    std::fill(to, to + frames, static_cast<T>(kNaN));
    to[frames] = static_cast<T>(part.features.global[j - own_]);
}

const Table& CompatRows::table(const std::vector<CompatSequenceRows>& parts, std::size_t first) {
    std::size_t rows = 0;
    for (const CompatSequenceRows& part : parts) rows += rows_of(part);
    std::vector<Column> columns = table_.release();  // its memory serves again
    columns.resize(kRowColumns + features_.size());
    put_names(columns, parts, first, rows);
    for (std::size_t j = 0; j < features_.size(); ++j) {
        columns[kRowColumns + j].name = features_[j];
        if (options_.is_float)
            sized<float>(columns[kRowColumns + j], rows);
        else
            sized<double>(columns[kRowColumns + j], rows);
    }
    // Sequence by sequence: one of them lies in a near cache, and is read once for each column.
    std::size_t at = 0;
    for (const CompatSequenceRows& part : parts) {
        for (std::size_t j = 0; j < features_.size(); ++j) {
            std::visit(
                [&](auto& values) {
                    if constexpr (!std::is_same_v<std::decay_t<decltype(values)>, std::vector<std::string>>)
                        put_column(part, j, values.data() + at);
                },
                columns[kRowColumns + j].values);
        }
        at += rows_of(part);
    }
    table_ = Table(std::move(columns));
    table_.notes["set"] = options_.set;
    return table_;
}

}  // namespace nightshift::jobs
