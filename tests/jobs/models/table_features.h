#pragma once

#include <string>
#include <vector>

#include "jobs/models/feature_builder.h"

namespace nightshift::tests {

/// The feature set of a table that lies in memory.
inline jobs::FeatureSet features_of_table(const jobs::Table& table, const std::string& origin,
                                          const std::vector<std::string>& columns = {},
                                          const std::vector<std::string>& without = {}) {
    jobs::FeatureBuilder builder(origin, {columns, without, {}});
    builder.add(table);
    return builder.features();
}

}  // namespace nightshift::tests
