#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace nightshift::jobs {

/// z-scores per column, frozen with the model. A column without spread becomes 0 everywhere (and is listed
/// as zeroed), a missing value becomes 0, as in the reference.
struct Normalizer {
    std::vector<double> mean;
    std::vector<double> deviation;        ///< sample standard deviation (n - 1)
    std::vector<std::uint8_t> is_zeroed;  ///< 1: no spread

    std::size_t columns() const { return mean.size(); }
    /// In place, [rows, columns()].
    void apply(std::span<double> values) const;
};

/// Over the values that are there (NaN left out). values [rows, columns].
Normalizer fit_normalizer(std::span<const double> values, std::size_t columns);

nlohmann::json to_json(const Normalizer& normalizer);
/// Throws JobError("bad_model") where arrays are missing or of unequal length.
Normalizer normalizer_from_json(const nlohmann::json& json, const std::string& origin);

}  // namespace nightshift::jobs
