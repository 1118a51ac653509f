#include "jobs/models/score_table.h"

#include <algorithm>
#include <utility>

#include "jobs/table/table_writer.h"

namespace nightshift::jobs {
namespace {

using Range = std::pair<std::size_t, std::size_t>;

template <typename Value, typename From>
std::vector<Value> part(Range rows, From from) {
    std::vector<Value> out;
    out.reserve(rows.second - rows.first);
    for (std::size_t r = rows.first; r < rows.second; ++r) out.push_back(from(r));
    return out;
}

Table piece_of(const FeatureSet& set, const std::vector<ScoreColumn>& columns, bool with_truth, Range rows) {
    Table table;
    if (set.is_plain()) {
        table.add("row", part<double>(rows, [](std::size_t r) { return static_cast<double>(r); }));
    } else {
        table.add("sequence", part<std::string>(rows, [&](std::size_t r) { return set.sequence[r]; }));
        table.add("frame", part<std::string>(rows, [&](std::size_t r) {
                      return set.frame[r] < 0 ? std::string() : std::to_string(set.frame[r]);
                  }));
    }
    for (const ScoreColumn& column : columns)
        table.add(column.name, part<double>(rows, [&](std::size_t r) { return column.scores[r]; }));
    if (with_truth && !set.is_plain()) {
        table.add("label", part<double>(rows, [&](std::size_t r) { return set.label[r]; }));
        table.add("split",
                  part<std::string>(rows, [&](std::size_t r) { return std::string(name_of(set.split[r])); }));
    }
    return table;
}

}  // namespace

void write_scores(const std::filesystem::path& file, const FeatureSet& set,
                  const std::vector<ScoreColumn>& columns, bool with_truth) {
    const auto count = static_cast<std::size_t>(set.rows);
    TableWriter writer(file, TableFormat::kCsv, piece_of(set, columns, with_truth, {0, 0}).heads());
    for (std::size_t first = 0; first < count; first += kPieceRows)
        writer.add(piece_of(set, columns, with_truth, {first, std::min(count, first + kPieceRows)}));
    writer.finish();
}

}  // namespace nightshift::jobs
