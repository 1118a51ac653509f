#include "api/batch_run.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/api/test_server.h"

namespace nightshift::tests {
namespace {

using nlohmann::json;

constexpr const char* kNdjson = "Content-Type: application/x-ndjson\r\n";

std::vector<json> lines_of(const Answer& answer) {
    std::vector<json> out;
    for (std::size_t start = 0; start < answer.body.size();) {
        const std::size_t end = answer.body.find('\n', start);
        out.push_back(json::parse(answer.body.substr(start, end - start)));
        start = end + 1;
    }
    return out;
}

}  // namespace

TEST_CASE("batch: a line each, good ones are stored beside bad ones") {
    TestServer server;
    const std::string body =
        "{\"kind\":\"sleep\"}\n{\"kind\":\"slep\"}\n\nnonsense\r\n{\"kind\":\"sleep\",\"after\":[\"job:#0\"]}"
        "\n"
        "{\"kind\":\"extract\",\"params\":{\"dataset\":\"job:#1\"}}\n" +
        ("{\"kind\":\"sleep\",\"name\":\"" + std::string(70'000, 'x') + "\"}\n") + "{\"kind\":\"score\"}";
    const Answer answer = server.send("POST", "/api/v1/jobs:batch", kOperatorToken, body, kNdjson);
    CHECK(answer.status == 200);
    CHECK(answer.field("content-type") == "application/x-ndjson");
    const std::vector<json> lines = lines_of(answer);
    REQUIRE(lines.size() == 7);
    CHECK(lines[0] == json{{"line", 1}, {"id", 1}});
    CHECK(lines[1]["line"] == 2);
    CHECK(lines[1]["error"]["code"] == "unknown_kind");
    CHECK(lines[2]["line"] == 4);
    CHECK(lines[2]["error"]["code"] == "bad_json");
    CHECK(lines[3] == json{{"line", 5}, {"id", 2}});
    CHECK(lines[4]["error"]["code"] == "unknown_dependency");
    CHECK(lines[5]["error"]["code"] == "line_too_long");
    CHECK(lines[6] == json{{"line", 8}, {"id", 3}});
    CHECK(server.on_loop([&] { return server.daemon().jobs_by_id[2].spec.after.at(0).on; }) == JobId{1});
}

TEST_CASE("batch: a key makes it repeatable line by line") {
    TestServer server;
    const std::string more = std::string(kNdjson) + "Idempotency-Key: sweep\r\n";
    const std::string body = "{\"kind\":\"sleep\"}\n{\"kind\":\"score\"}\n";
    CHECK(lines_of(server.send("POST", "/api/v1/jobs:batch", kOperatorToken, body, more)).size() == 2);
    const auto again = lines_of(server.send("POST", "/api/v1/jobs:batch", kOperatorToken, body, more));
    REQUIRE(again.size() == 2);
    CHECK(again[1]["id"] == 2);
    CHECK(again[1]["replayed"] == true);
    CHECK(server.on_loop([&] { return server.daemon().jobs_by_id.size(); }) == 2);
}

TEST_CASE("batch: `job:#n` is the n-th job of the list, and nothing else") {
    TestServer server;
    const std::string body =
        "{\"kind\":\"sleep\"}\n"
        "{\"kind\":\"extract\",\"params\":{\"dataset\":\"job:#0\"}}\n"
        "{\"kind\":\"sleep\",\"after\":[{\"job\":\"job:#1\",\"on\":\"any\"},\"job:#0\"]}\n"
        "{\"kind\":\"sleep\",\"after\":[\"job:#9\"]}\n"
        "{\"kind\":\"sleep\",\"after\":[\"job:#4\"]}\n"
        "{\"kind\":\"sleep\",\"after\":[\"job:#3\"]}\n"
        "{\"kind\":\"sleep\",\"after\":[\"job:#-1\"]}\n"
        "{\"kind\":\"sleep\",\"after\":[\"job:#2\"]}\n";
    const auto lines = lines_of(server.send("POST", "/api/v1/jobs:batch", kOperatorToken, body, kNdjson));
    REQUIRE(lines.size() == 8);
    const auto after = [&](int id) {
        return server.on_loop([&] {
            std::string text;
            for (const Dependency& on : server.daemon().jobs_by_id[id].spec.after)
                text += std::to_string(on.on.value) + " " + std::string(to_string(on.kind)) + ";";
            return text;
        });
    };
    CHECK(after(2) == "1 success;");
    CHECK(after(3) == "2 any;1 success;");
    const auto says = [&](std::size_t line, const char* words) {
        const json& error = lines[line]["error"];
        CHECK(error["code"] == "unknown_dependency");
        CHECK(error["pointer"] == "/after/0");
        CHECK_MESSAGE(error["detail"].get<std::string>().find(words) != std::string::npos, error.dump());
    };
    says(3, "names no job that comes before");  // beyond the end
    says(4, "names the job itself");
    says(5, "was refused");  // the line it names had no id
    says(6, "names no job");
    CHECK(lines[7] == json{{"line", 8}, {"id", 4}});
    CHECK(after(4) == "3 success;");
}

TEST_CASE("batch: a replayed list keeps its references, whatever is refused by now") {
    TestServer server;
    const std::string more = std::string(kNdjson) + "Idempotency-Key: chain\r\n";
    const std::string first = "{\"kind\":\"sleep\"}\n";
    const std::string second = "{\"kind\":\"sleep\",\"after\":[\"job:#0\"]}\n";
    CHECK(lines_of(server.send("POST", "/api/v1/jobs:batch", kOperatorToken, first, more)).size() == 1);
    const auto again =
        lines_of(server.send("POST", "/api/v1/jobs:batch", kOperatorToken, first + second, more));
    REQUIRE(again.size() == 2);
    CHECK(again[0] == json{{"line", 1}, {"id", 1}, {"replayed", true}});
    CHECK(again[1] == json{{"line", 2}, {"id", 2}});
    CHECK(server.on_loop([&] { return server.daemon().jobs_by_id[2].spec.after.at(0).on; }) == JobId{1});
    server.on_loop([&] { server.daemon().known_kinds.clear(); });
    const auto last =
        lines_of(server.send("POST", "/api/v1/jobs:batch", kOperatorToken, first + second, more));
    REQUIRE(last.size() == 2);
    CHECK(last[1] == json{{"line", 2}, {"id", 2}, {"replayed", true}});
    const auto other = lines_of(server.send("POST", "/api/v1/jobs:batch", kOperatorToken, second, more));
    REQUIRE(other.size() == 1);
    CHECK(other[0]["error"]["code"] == "idempotency_mismatch");
}

TEST_CASE("batch: many lines through one connection, answered while they still come") {
    TestServer server;
    RawClient client(server.port());
    client.send("POST /api/v1/jobs:batch HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                "\r\nAuthorization: Bearer " + kOperatorToken + "\r\n" + kNdjson +
                "Transfer-Encoding: chunked\r\n\r\n");
    client.send("11\r\n{\"kind\":\"sleep\"}\n\r\n");
    CHECK(client.read_until("{\"line\":1,\"id\":1}").find("200 OK") != std::string::npos);
    std::string many;
    for (int i = 0; i < 5'000; ++i) many += "11\r\n{\"kind\":\"sleep\"}\n\r\n";
    client.send(many + "0\r\n\r\n" + server.request("GET", "/livez", ""));
    const Answer answer = client.read_answer();
    CHECK(lines_of(answer).size() == 5'001);
    CHECK(client.read_answer().body == "ok\n");
}

TEST_CASE("batch: a client that leaves in the middle leaves what it had sent") {
    TestServer server;
    {
        RawClient client(server.port());
        client.send("POST /api/v1/jobs:batch HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                    "\r\nAuthorization: Bearer " + kOperatorToken + "\r\n" + kNdjson +
                    "Content-Length: 1000\r\n\r\n" + "{\"kind\":\"sleep\"}\n{\"kind\":\"sle");
        client.read_until("\"id\":1}");
    }
    CHECK(server.send("GET", "/livez", "").status == 200);
    CHECK(server.calls() == 1);
}

TEST_CASE("batch: no body, no lines; too many errors end it") {
    TestServer server;
    CHECK(server.send("POST", "/api/v1/jobs:batch", kOperatorToken).status == 200);
    CHECK(
        server.send("POST", "/api/v1/jobs:batch", kOperatorToken, "{}", "Content-Type: application/json\r\n")
            .status == 415);
    std::string bad;
    for (int i = 0; i < 12'000; ++i) bad += "x\n";
    const auto lines = lines_of(server.send("POST", "/api/v1/jobs:batch", kOperatorToken, bad, kNdjson));
    CHECK(lines.size() == 10'001);
    CHECK(lines.back()["error"]["code"] == "too_many_errors");
}

}  // namespace nightshift::tests
