#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "jobs/fpcb/dataset.h"
#include "jobs/table/table_reader.h"

namespace nightshift::jobs {

/// One signal over the frames of a sequence, or over the rows of a table. Rows without a number are left out.
struct Series {
    std::string sequence;  ///< empty for a plain table
    std::string column;
    std::vector<double> values;
    std::vector<long long> frames;  ///< of each value: frame number of the sequence, row of a plain table
};

/// The series of a table's columns, one for each column and group (in order of appearance); `group` empty =
/// the column "sequence" where there is one, else all rows are one series. A table of sequences with a column
/// "frame" names frames by it. Reads what is left of the table, and keeps no more than the series of it.
/// Throws JobError: no_such_column, not_a_number, no_values, and what the reader throws.
std::vector<Series> series_of_table(TableReader& table, const std::vector<std::string>& columns,
                                    const std::string& group);

/// The reference's signal: the largest acceleration of a point, px/s^2, in each frame.
Series peak_acceleration(const Sequence& sequence);

}  // namespace nightshift::jobs
