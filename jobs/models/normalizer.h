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

/// fit_normalizer() of rows that come in pieces: all of them twice in the same order, first for the means,
/// then for the spread around them. Two passes, because sums of squares in one lose the digits that large
/// means have in common; however the rows are cut, the result has the same bits as of all rows at once. One
/// thread.
class NormalizerFit {
  public:
    explicit NormalizerFit(std::size_t columns);

    void add(std::span<const double> rows);     ///< [any number of rows, columns]
    void start_again();                         ///< once: add() is given the same rows once more
    Normalizer finish() const;                  ///< after the second pass
    std::size_t rows() const { return rows_; }  ///< of the first pass

  private:
    Normalizer fitted_;
    std::vector<std::size_t> count_;
    std::vector<double> sum_;  ///< of values, then of squares around the mean
    std::size_t rows_ = 0;
    bool has_means_ = false;
};

nlohmann::json to_json(const Normalizer& normalizer);
/// Throws JobError("bad_model") where arrays are missing or of unequal length.
Normalizer normalizer_from_json(const nlohmann::json& json, const std::string& origin);

}  // namespace nightshift::jobs
