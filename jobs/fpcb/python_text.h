#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace nightshift::jobs {

/// A double as Python's repr writes it: the shortest digits that read back, "30.0", "1e-06", "nan".
std::string python_repr(double value);

/// The same, behind what stands in `out`.
void append_python_repr(std::string& out, double value);

/// Python's round(value, digits): the exact value rounded to that many decimals, halves to even.
double python_round(double value, int digits);

/// repr(round(value, digits)) behind what stands in `out`, without finding out the digits of a double where a
/// whole number has them: below 1e15 / 10^digits, up to nine digits.
void append_python_rounded(std::string& out, double value, int digits);

/// json.dumps(value, indent=2): ASCII, keys in their order, numbers as repr writes them, no final line end.
std::string python_json(const nlohmann::ordered_json& value);

}  // namespace nightshift::jobs
