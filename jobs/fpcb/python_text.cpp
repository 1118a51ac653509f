#include "jobs/fpcb/python_text.h"

#include <charconv>
#include <cmath>

#include <nlohmann/json.hpp>

namespace nightshift::jobs {

namespace {

using nlohmann::ordered_json;

/// Powers of ten at which repr changes to its exponent form.
constexpr int kPlainMin = -4, kPlainMax = 16;
/// Longest text of a double with decimals: 309 digits before the point.
constexpr std::size_t kDecimalBytesMax = 400;

void append(std::string& out, const ordered_json& value, std::size_t depth) {
    if (value.is_number_float()) {
        const double number = value.get<double>();
        out += std::isnan(number)   ? "NaN"
               : std::isinf(number) ? (number < 0 ? "-Infinity" : "Infinity")
                                    : python_repr(number);
        return;
    }
    if (!value.is_structured() || value.empty()) {
        out += value.dump(-1, ' ', true);
        return;
    }
    const std::string line_end = "\n" + std::string(2 * depth, ' ');
    out += value.is_object() ? '{' : '[';
    bool is_first = true;
    for (const auto& [key, item] : value.items()) {
        out += (is_first ? "" : ",") + line_end + "  ";
        if (value.is_object()) out += ordered_json(key).dump(-1, ' ', true) + ": ";
        append(out, item, depth + 1);
        is_first = false;
    }
    out += line_end;
    out += value.is_object() ? '}' : ']';
}

}  // namespace

std::string python_repr(double value) {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
    char text[40];
    const auto shortest = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific);
    const std::string digits(text, shortest.ptr);
    const std::size_t mark = digits.find('e');
    const int exponent = std::stoi(digits.substr(mark + 1));
    // C++ and Python write the exponent alike: a sign and at least two digits.
    if (exponent < kPlainMin || exponent >= kPlainMax) return digits;
    const auto plain = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed);
    std::string out(text, plain.ptr);
    if (out.find('.') == std::string::npos) out += ".0";
    return out;
}

double python_round(double value, int digits) {
    if (!std::isfinite(value)) return value;
    char text[kDecimalBytesMax];
    const auto written = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, digits);
    double rounded = 0;
    std::from_chars(text, written.ptr, rounded);
    return rounded;
}

std::string python_json(const ordered_json& value) {
    std::string out;
    append(out, value, 0);
    return out;
}

}  // namespace nightshift::jobs
