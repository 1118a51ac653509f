#include "jobs/fpcb/python_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>

#include <nlohmann/json.hpp>

namespace nightshift::jobs {

namespace {

using nlohmann::ordered_json;

/// Sizes of numbers that repr writes without an exponent: from, below.
constexpr double kPlainMin = 1e-4, kPlainEnd = 1e16;
constexpr double kPlainParts = 1e4;  ///< 1 / kPlainMin, which a double can say
constexpr std::size_t kReprBytesMax = 40;
/// Longest text of a double with decimals: 309 digits before the point.
constexpr std::size_t kDecimalBytesMax = 400;

constexpr std::array<double, 10> kPowers{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
/// Decimals of up to 15 digits are told apart by a double, so the fewest digits of one that was rounded to
/// them are these digits without the zeros at their end.
constexpr double kWholeEnd = 1e15;

/// value x 10^digits rounded to a whole number, halves to even: the number that python_round() divides by
/// 10^digits, with the sign of `value`. None where it is too large, or `digits` are too many, for doubles to
/// say it exactly.
std::optional<double> whole_of(double value, int digits) {
    if (digits < 0 || static_cast<std::size_t>(digits) >= kPowers.size()) return std::nullopt;
    const double power = kPowers[static_cast<std::size_t>(digits)], scaled = value * power;
    if (!(std::abs(scaled) < kWholeEnd)) return std::nullopt;
    double whole = std::nearbyint(scaled);
    // The product was rounded, too: at a half, what it lost says on which side of it the value lies.
    if (scaled == whole + .5 && std::fma(value, power, -scaled) > 0)
        ++whole;
    else if (scaled == whole - .5 && std::fma(value, power, -scaled) < 0)
        --whole;
    return std::copysign(whole, value);
}

void append(std::string& out, const ordered_json& value, std::size_t depth) {
    if (value.is_number_float()) {
        const double number = value.get<double>();
        if (std::isfinite(number))
            append_python_repr(out, number);
        else
            out += std::isnan(number) ? "NaN" : number < 0 ? "-Infinity" : "Infinity";
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
    std::string out;
    append_python_repr(out, value);
    return out;
}

void append_python_repr(std::string& out, double value) {
    if (std::isnan(value)) {
        out += "nan";
        return;
    }
    if (std::isinf(value)) {
        out += value < 0 ? "-inf" : "inf";
        return;
    }
    char text[kReprBytesMax];
    const double size = std::abs(value);
    // C++ and Python write the exponent alike: a sign and at least two digits. A double below those that are
    // nearest to the ends of the range never has the digits of such an end.
    const bool is_plain = size == 0 || (size >= kPlainMin && size < kPlainEnd);
    const auto end = std::to_chars(text, text + sizeof text, value,
                                   is_plain ? std::chars_format::fixed : std::chars_format::scientific)
                         .ptr;
    out.append(text, end);
    if (is_plain && std::find(text, end, '.') == end) out += ".0";
}

double python_round(double value, int digits) {
    if (const auto whole = whole_of(value, digits)) return *whole / kPowers[static_cast<std::size_t>(digits)];
    if (!std::isfinite(value)) return value;
    char text[kDecimalBytesMax];
    const auto written = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, digits);
    double rounded = 0;
    std::from_chars(text, written.ptr, rounded);
    return rounded;
}

void append_python_rounded(std::string& out, double value, int digits) {
    const auto whole = whole_of(value, digits);
    const double power = whole ? kPowers[static_cast<std::size_t>(digits)] : 0;
    const bool is_plain = whole && (*whole == 0 || std::abs(*whole) * kPlainParts >= power);
    if (!is_plain) {
        append_python_repr(out, python_round(value, digits));
        return;
    }
    if (std::signbit(*whole)) out += '-';
    const auto size = static_cast<std::uint64_t>(std::abs(*whole)), unit = static_cast<std::uint64_t>(power);
    char text[kReprBytesMax];
    char* end = std::to_chars(text, text + sizeof text, size / unit).ptr;
    *end++ = '.';
    char* const point = end;
    end += digits;
    std::uint64_t rest = size % unit;
    for (char* at = end; at != point; rest /= 10) *--at = static_cast<char>('0' + rest % 10);
    while (end > point + 1 && end[-1] == '0') --end;
    if (end == point) *end++ = '0';
    out.append(text, end);
}

std::string python_json(const ordered_json& value) {
    std::string out;
    append(out, value, 0);
    return out;
}

}  // namespace nightshift::jobs
