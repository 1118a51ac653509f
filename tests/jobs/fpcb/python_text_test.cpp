#include "jobs/fpcb/python_text.h"

#include <doctest/doctest.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "kernels/pcg64.h"

using namespace nightshift::jobs;

TEST_CASE("python text: a float as repr writes it") {
    CHECK(python_repr(30) == "30.0");
    CHECK(python_repr(29.97) == "29.97");
    CHECK(python_repr(.1) == "0.1");
    CHECK(python_repr(-0.0) == "-0.0");
    CHECK(python_repr(1e-4) == "0.0001");
    CHECK(python_repr(1e-5) == "1e-05");
    CHECK(python_repr(2.5e-5) == "2.5e-05");
    CHECK(python_repr(123456789012345680.0) == "1.2345678901234568e+17");
    CHECK(python_repr(1e15) == "1000000000000000.0");
    CHECK(python_repr(1e16) == "1e+16");
    CHECK(python_repr(5e-324) == "5e-324");
    CHECK(python_repr(-std::numeric_limits<double>::infinity()) == "-inf");
}

TEST_CASE("python text: rounding looks at the exact value, halves go to even") {
    CHECK(python_round(2.675, 2) == 2.67);  // the double lies below the half
    CHECK(python_round(0.125, 2) == 0.12);
    CHECK(python_round(0.375, 2) == 0.38);
    CHECK(python_round(166.65744999, 4) == 166.6574);
    CHECK(python_round(1e300, 4) == 1e300);
}

namespace {

/// What append_python_rounded() promises, by the functions that look at the digits of doubles.
std::string rounded_by_parts(double value, int digits) {
    char text[400];
    const auto written = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, digits);
    double rounded = 0;
    std::from_chars(text, written.ptr, rounded);
    char shortest[400];
    const auto end =
        std::to_chars(shortest, shortest + sizeof shortest, rounded, std::chars_format::scientific);
    const std::string digits_of(shortest, end.ptr);
    const int exponent = std::stoi(digits_of.substr(digits_of.find('e') + 1));
    if (exponent < -4 || exponent >= 16) return digits_of;
    const auto plain = std::to_chars(shortest, shortest + sizeof shortest, rounded, std::chars_format::fixed);
    std::string out(shortest, plain.ptr);
    return out.find('.') == std::string::npos ? out + ".0" : out;
}

std::string rounded(double value, int digits) {
    std::string out = "x";
    append_python_rounded(out, value, digits);
    REQUIRE(out.front() == 'x');
    return out.substr(1);
}

}  // namespace

TEST_CASE("python text: where repr changes to exponents and back") {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    for (const auto& [value, text] : std::vector<std::pair<double, std::string>>{
             {std::nextafter(1e16, 0), "9999999999999998.0"},
             {std::nextafter(1e16, kInfinity), "1.0000000000000002e+16"},
             {std::nextafter(1e-4, 0), "9.999999999999999e-05"},
             {std::nextafter(1e-4, 1), "0.00010000000000000002"},
             {9007199254740993.0, "9007199254740992.0"},
             {1.7976931348623157e308, "1.7976931348623157e+308"},
             {2.2250738585072014e-308, "2.2250738585072014e-308"},
             {0.0, "0.0"}}) {
        std::string behind = "a";
        append_python_repr(behind, value);
        CHECK(behind == "a" + text);
        if (value != 0) CHECK(python_repr(-value) == "-" + text);
    }
    CHECK(python_repr(std::numeric_limits<double>::quiet_NaN()) == "nan");
}

TEST_CASE("python text: rounded and written at once, as in two steps") {
    CHECK(rounded(166.65744999, 4) == "166.6574");
    CHECK(rounded(2.675, 2) == "2.67");
    CHECK(rounded(1.005, 2) == "1.0");   // below the half by a digit that its product with 100 loses
    CHECK(rounded(1.115, 2) == "1.11");  // that product is above the half
    CHECK(rounded(0.125, 2) == "0.12");
    CHECK(rounded(0.375, 2) == "0.38");
    CHECK(rounded(-0.00001, 4) == "-0.0");
    CHECK(rounded(-0.0, 4) == "-0.0");
    CHECK(rounded(0.00005, 6) == "5e-05");
    CHECK(rounded(0.0001, 6) == "0.0001");
    CHECK(rounded(0.0000995, 5) == "0.0001");
    CHECK(rounded(2.5, 0) == "2.0");
    CHECK(rounded(999999.99999, 4) == "1000000.0");
    CHECK(rounded(1e300, 4) == "1e+300");
    CHECK(rounded(5e-324, 9) == "0.0");
    CHECK(rounded(std::numeric_limits<double>::quiet_NaN(), 4) == "nan");
    CHECK(rounded(-std::numeric_limits<double>::infinity(), 4) == "-inf");
    nightshift::kernels::Pcg64 random(3);
    int wrong = 0;
    for (int i = 0; i < 200'000; ++i) {
        const int digits = static_cast<int>(random.bounded(12));
        // Halves of the last digit and their neighbours, small and large, up to where doubles lose digits.
        const double power = std::pow(10.0, static_cast<double>(random.bounded(18)));
        double value = (std::floor(random.random() * power) + .5) / std::pow(10.0, digits);
        if (i % 4 == 1) value = std::nextafter(value, 1e300);
        if (i % 4 == 2) value = std::nextafter(value, 0);
        if (i % 4 == 3) value = random.normal() * power;
        if (i % 8 > 3) value = -value;
        wrong += rounded(value, digits) != rounded_by_parts(value, digits);
        wrong += python_repr(python_round(value, digits)) != rounded_by_parts(value, digits);
    }
    CHECK(wrong == 0);
}

TEST_CASE("python text: JSON as json.dumps with an indent of two") {
    nlohmann::ordered_json value;
    value["b"] = 1.0;
    value["a"] = {1, 2.5e-7, "m/s\u00b2", nullptr, true};
    value["empty"] = nlohmann::ordered_json::object();
    value["big"] = 18446744073709551615ull;
    CHECK(
        python_json(value) ==
        "{\n  \"b\": 1.0,\n  \"a\": [\n    1,\n    2.5e-07,\n    \"m/s\\u00b2\",\n    null,\n    true\n  ],\n"
        "  \"empty\": {},\n  \"big\": 18446744073709551615\n}");
}
