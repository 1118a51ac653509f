#include "api/head_parser.h"

#include <doctest/doctest.h>

using namespace nightshift::api;

namespace {

HeadRefusal refusal_of(std::string_view head) {
    auto parsed = parse_head(head);
    const auto* refusal = std::get_if<HeadRefusal>(&parsed);
    return refusal != nullptr ? *refusal : HeadRefusal{0, "", ""};
}

RequestHead head_of(std::string_view head) {
    auto parsed = parse_head(head);
    REQUIRE(std::holds_alternative<RequestHead>(parsed));
    return std::get<RequestHead>(parsed);
}

}  // namespace

TEST_CASE("head parser: a plain request is taken apart") {
    const RequestHead head = head_of(
        "POST /api/v1/jobs?dry_run=1 HTTP/1.1\r\nHost: localhost:1\r\nX-A:  b c \t\r\nContent-Length: "
        "12\r\n\r\n");
    CHECK(head.method == Method::kPost);
    CHECK(head.path == "/api/v1/jobs");
    CHECK(head.query == "dry_run=1");
    REQUIRE(head.find("x-a") != nullptr);
    CHECK(*head.find("x-a") == "b c");
    CHECK(head.content_length == 12u);
    CHECK_FALSE(head.is_chunked);
    CHECK(head.has_body());
    CHECK(head_of("GET / HTTP/1.0\r\n\r\n").minor_version == 0);
    CHECK(head_of("POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: Chunked\r\n\r\n").is_chunked);
}

TEST_CASE("head parser: the end is found however the bytes arrive") {
    const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    std::size_t checked = 0;
    for (std::size_t count = 0; count < head.size(); ++count) {
        const auto found = find_head_end(std::string_view(head).substr(0, count), checked);
        CAPTURE(count);
        CHECK(std::holds_alternative<std::monostate>(found));
    }
    const std::string with_body = head + "body\n\n";
    const auto found = find_head_end(with_body, checked);
    REQUIRE(std::holds_alternative<std::size_t>(found));
    CHECK(std::get<std::size_t>(found) == head.size());
}

TEST_CASE("head parser: a head that can only become bad is refused before its end") {
    const auto code = [](const std::string& bytes) {
        std::size_t checked = 0;
        const auto found = find_head_end(bytes, checked);
        const auto* refusal = std::get_if<HeadRefusal>(&found);
        return refusal != nullptr ? refusal->code : std::string();
    };
    CHECK(code("GET / HTTP/1.1\n") == "bad_framing");
    CHECK(code("GET / HTTP/1.1\rx") == "bad_framing");
    CHECK(code(std::string("GET /\0", 6)) == "bad_framing");
    CHECK(code("GET /" + std::string(20'000, 'a')) == "target_too_long");
    CHECK(code("GET / HTTP/1.1\r\nX: " + std::string(20'000, 'a')) == "headers_too_large");
    CHECK(code("GET / HTTP/1.1\r\nX: " + std::string(8'000, 'a')) == "");
}

TEST_CASE("head parser: limits of fields and target") {
    std::string fields;
    for (int i = 0; i < 64; ++i) fields += "X-" + std::to_string(i) + ": 1\r\n";
    CHECK(head_of("GET / HTTP/1.1\r\n" + fields + "\r\n").fields.size() == 64);
    CHECK(refusal_of("GET / HTTP/1.1\r\n" + fields + "One: more\r\n\r\n").status == 431);
    CHECK(refusal_of("GET /" + std::string(4095, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n").status == 0);
    CHECK(refusal_of("GET /" + std::string(4096, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n").status == 414);
}

TEST_CASE("head parser: paths are decoded once, part by part") {
    std::vector<std::string> parts;
    CHECK(split_path("/api/v1/jobs/7/artifacts/a/%ED%95%9C%20b.csv", parts));
    REQUIRE(parts.size() == 7);
    CHECK(parts[6] == "한 b.csv");
    CHECK(split_path("/a+b", parts));
    CHECK(parts[0] == "a+b");
    CHECK(split_path("/", parts));
    CHECK(parts.empty());
    CHECK(split_path("/a/", parts));
    CHECK(parts.back().empty());
    for (const char* bad : {"/a//b", "/a/../b", "/./a", "/%2e%2e/a", "/a%2Fb", "/a%5cb", "/a%00", "/a%0A",
                            "/a%7f", "/a%2", "/a%", "/a%zz", "a", ""}) {
        CAPTURE(bad);
        CHECK_FALSE(split_path(bad, parts));
    }
    // %252e is the three characters %2e after one decoding, and stays that.
    CHECK(split_path("/%252e%252e", parts));
    CHECK(parts[0] == "%2e%2e");
}

TEST_CASE("head parser: query values") {
    NamedValues values;
    CHECK(split_query("a=1&b=x+y&c&d=%ED%95%9C&&e=a%3Db", values));
    REQUIRE(values.size() == 5);
    CHECK(values[1].second == "x y");
    CHECK(values[2].second == "");
    CHECK(values[3].second == "한");
    CHECK(values[4].second == "a=b");
    CHECK_FALSE(split_query("a=%00", values));
    CHECK_FALSE(split_query("a=%g0", values));
}
