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

/// The fit over rows that come in blocks, twice in the same order: first all of them to add_to_means(), then
/// all of them to add_to_deviations(). Values that are not there (NaN, infinity) are left out. The bits do
/// not depend on where blocks end.
class NormalizerFit {
  public:
    explicit NormalizerFit(std::size_t columns);
    /// [any, columns]
    void add_to_means(std::span<const double> values);
    void add_to_deviations(std::span<const double> values);
    Normalizer finish() const;

  private:
    std::vector<double> sum_, squares_, mean_;
    std::vector<std::size_t> count_;
    bool has_means_ = false;
};

/// Over the values that are there (NaN left out). values [rows, columns].
Normalizer fit_normalizer(std::span<const double> values, std::size_t columns);

nlohmann::json to_json(const Normalizer& normalizer);
/// Throws JobError("bad_model") where arrays are missing or of unequal length.
Normalizer normalizer_from_json(const nlohmann::json& json, const std::string& origin);

}  // namespace nightshift::jobs
