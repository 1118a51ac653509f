#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace nightshift::jobs {

/// A double as Python's repr writes it: the shortest digits that read back, "30.0", "1e-06", "nan".
std::string python_repr(double value);

/// Python's round(value, digits): the exact value rounded to that many decimals, halves to even.
double python_round(double value, int digits);

/// json.dumps(value, indent=2): ASCII, keys in their order, numbers as repr writes them, no final line end.
std::string python_json(const nlohmann::ordered_json& value);

}  // namespace nightshift::jobs
