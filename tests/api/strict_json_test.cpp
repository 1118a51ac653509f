#include "api/strict_json.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace nightshift::api;

TEST_CASE("strict json: what is valid comes through unchanged") {
    const auto parsed = parse_json(R"({"a":[1,-2.5e3,true,null,"한\u0041\ud83d\ude00"],"b":{"a":1}})");
    REQUIRE(parsed);
    CHECK((*parsed)["a"][1] == -2500.0);
    CHECK((*parsed)["a"][4] == "한A😀");
    CHECK(parse_json("[1]")->size() == 1);
    CHECK(parse_json("7"));
}

TEST_CASE("S32 strict json: depth, duplicate keys, numbers and text that nobody should send") {
    CHECK(parse_json(std::string(32, '[') + std::string(32, ']')));
    CHECK_FALSE(parse_json(std::string(33, '[') + std::string(33, ']')));
    CHECK_FALSE(parse_json(std::string(100'000, '[')));
    std::string objects;
    for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
    CHECK_FALSE(parse_json(objects));
    for (const char* bad : {R"({"a":1,"a":2})",
                            R"({"a":{"b":1,"b":1}})",
                            R"([{"a":1,"\u0061":2}])",
                            "1e999",
                            "-1e999",
                            "[NaN]",
                            "[Infinity]",
                            "[01]",
                            "[+1]",
                            "[1,]",
                            "{\"a\":1,}",
                            R"(["\ud800"])",
                            R"(["\udc00"])",
                            R"(["\ud800\u0041"])",
                            "[\"\xff\"]",
                            "[\"\xc0\xaf\"]",
                            "[\"a\nb\"]",
                            "// no\n[1]",
                            "",
                            "  ",
                            "[1] [2]"}) {
        CAPTURE(bad);
        const auto parsed = parse_json(bad);
        REQUIRE_FALSE(parsed);
        CHECK(parsed.error().reason == "bad_json");
        CHECK(parsed.error().hint != "");
    }
    // The same key in different objects is fine.
    CHECK(parse_json(R"([{"a":1},{"a":2},{"b":{"a":3},"a":4}])"));
    CHECK_FALSE(parse_json("\"" + std::string(1024 * 1024, 'x') + "\""));
}

TEST_CASE("strict json: output is always valid UTF-8") {
    CHECK(dump_json(nlohmann::json("a\xff")) == "\"a\xEF\xBF\xBD\"");
}
