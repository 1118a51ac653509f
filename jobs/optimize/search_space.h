#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace nightshift::jobs {

/// One parameter that is searched.
struct Dimension {
    enum class Kind { kReal, kInteger, kChoice };

    std::string name;
    Kind kind = Kind::kReal;
    double low = 0, high = 1;  ///< both included; of a choice 0 and the number of words less one
    bool is_log = false;       ///< searched by ratios; low > 0
    int points = 5;            ///< of a grid
    std::vector<std::string> words;
    /// How far `space` may widen the range; none = not at all.
    std::optional<double> least = std::nullopt, most = std::nullopt;

    /// Where the search works: logarithms for `is_log`, otherwise the number itself.
    double inner(double value) const;
    /// Back from there: clamped to the range, integers and choices rounded.
    double outer(double inner) const;
    /// The values of a grid, rising, without repeats.
    std::vector<double> grid() const;
};

using SearchSpace = std::vector<Dimension>;
/// A value for each dimension, in their order.
using Point = std::vector<double>;

/// Reads `space`: {"lr": {"low": 1e-4, "high": 1e-2, "log": true, "points": 5}, "k": {"low": 1, "high": 9},
/// "sampling": {"choices": [...]}}. A dimension that is not named keeps its default; one number or word fixes
/// it. Throws JobError("bad_param") naming the dimension, and the nearest known one for an unknown name.
SearchSpace narrowed(SearchSpace defaults, const nlohmann::json& space);

/// The point with names: integers as integers, choices as words.
nlohmann::ordered_json to_json(const SearchSpace& space, const Point& point);
/// The other way round; throws JobError("bad_trials") where it is not one of this space.
Point point_from_json(const SearchSpace& space, const nlohmann::json& params);

}  // namespace nightshift::jobs
