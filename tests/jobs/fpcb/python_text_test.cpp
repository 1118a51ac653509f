#include "jobs/fpcb/python_text.h"

#include <doctest/doctest.h>

#include <limits>

#include <nlohmann/json.hpp>

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
