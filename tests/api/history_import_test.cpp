#include "api/history_import.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "api/digest.h"
#include "tests/api/test_server.h"

namespace nightshift::tests {
namespace {

using nlohmann::json;

constexpr const char* kNdjson = "Content-Type: application/x-ndjson\r\n";
constexpr const char* kRoute = "/api/v1/history";

std::string job(int id, const std::string& name = "남의 일") {
    return R"({"type":"job","id":)" + std::to_string(id) + R"(,"version":1,"name":")" + name +
           R"(","kind":"sleep","state":"failed","events":[1,2]})";
}

/// A history of database "other" with so many jobs, and one of a third.
std::string history(int jobs) {
    HistoryChain chain(api::sha256_hex);
    std::string text = chain.close(R"({"type":"nightshift-history","format":1,"database":"other"})");
    for (int id = 1; id <= jobs; ++id) text += chain.close(job(id));
    text += chain.close(R"({"type":"fire","schedule":"밤","nominal":"2026-11-21T13:00:00.000Z"})");
    text += chain.close(R"({"type":"origin","database":"third"})");
    text += chain.close(job(7, "셋째"));
    text +=
        chain.close(R"({"type":"end","jobs":)" + std::to_string(jobs + 1) + R"(,"fires":1,"unreadable":0})");
    return text;
}

Answer import(TestServer& server, const std::string& body, const char* token = kAdminToken) {
    return server.send("POST", kRoute, token, body, kNdjson);
}

std::vector<std::string> calls(TestServer& server) {
    return server.on_loop([&] { return server.daemon().calls; });
}

}  // namespace

TEST_CASE("history import: a whole history is stored in portions and answered with what it brought") {
    TestServer server;
    const std::string body = history(1000);
    const Answer answer = import(server, body);
    REQUIRE_MESSAGE(answer.status == 201, answer.body);
    const json said = json::parse(answer.body);
    CHECK(said["changed"] == true);
    CHECK(said["database"] == "other");
    CHECK(said["jobs"] == 1001);
    CHECK(said["added"] == 1002);
    CHECK(body.find(said["chain"].get<std::string>()) != std::string::npos);
    server.on_loop([&] {
        CHECK(server.daemon().imported_portions.size() >= 4);
        for (const std::size_t lines : server.daemon().imported_portions) CHECK(lines < 1000);
        REQUIRE(server.daemon().imported_lines.size() == 1002);
        CHECK(server.daemon().imported_lines.front().object == job(1));
        CHECK(server.daemon().imported_lines.back().origin == "third");
    });
}

TEST_CASE("history import: what comes back out is what went in") {
    TestServer server;
    const std::string body = history(5);
    REQUIRE(import(server, body).status == 201);
    const std::string all = server.send("GET", std::string(kRoute) + "?imported=1", kViewerToken).body;
    for (int id = 1; id <= 5; ++id)
        CHECK(all.find(job(id).substr(0, job(id).size() - 1)) != std::string::npos);
    CHECK(all.find(R"({"type":"origin","database":"other","chain")") != std::string::npos);
    HistoryReader reader(
        api::sha256_hex,
        [](const std::string& text) -> Result<HistoryLine> {
            const json object = json::parse(text);
            HistoryLine line;
            line.database = object.value("database", "");
            line.number = object.value("id", 0);
            line.jobs = object.value("jobs", 0);
            line.fires = object.value("fires", 0);
            using Type = HistoryLine::Type;
            const std::string type = object["type"];
            line.type = type == "nightshift-history" ? Type::kHeader
                        : type == "origin"           ? Type::kOrigin
                        : type == "fire"             ? Type::kFire
                        : type == "end"              ? Type::kEnd
                                                     : Type::kJob;
            return line;
        },
        [](const std::string&, const HistoryLine&, std::string) {});
    CHECK(reader.read(all));
    CHECK(reader.finish());
    CHECK(reader.facts().database == kDatabaseId);
    CHECK(reader.facts().origins == 2);
    const std::string one = server.send("GET", std::string(kRoute) + "?origin=third", kViewerToken).body;
    CHECK(one.find(R"("database":"third")") != std::string::npos);
    CHECK(one.find("셋째") != std::string::npos);
    CHECK(one.find("남의 일") == std::string::npos);
    CHECK(server.send("GET", std::string(kRoute) + "?origin=nobody", kViewerToken).status == 404);
    CHECK(server.send("GET", std::string(kRoute) + "?origin=third&from=2", kViewerToken).status == 400);
    CHECK(server.send("GET", std::string(kRoute) + "?origin=third&imported=1", kViewerToken).status == 400);
}

TEST_CASE("history import: a touched, cut or foreign body is refused with its line and leaves nothing") {
    TestServer server;
    const std::string body = history(600);
    std::string touched = body;
    touched.replace(touched.find("남의", touched.size() / 2), 6, "내내");
    const std::string cut = body.substr(0, body.rfind('\n', body.size() - 2) + 1);
    std::size_t dropped = 0;
    for (const std::string& bad : {touched, cut, body + "{}\n", std::string("hello\n")}) {
        const Answer answer = import(server, bad);
        CHECK(answer.status == 422);
        const json problem = json::parse(answer.body);
        CHECK(problem["detail"].get<std::string>().find("ine ") != std::string::npos);
        CHECK(problem["hint"] != "");
        server.on_loop([&] { CHECK(server.daemon().imported_lines.empty()); });
    }
    for (const std::string& call : calls(server)) dropped += call == "import dropped" ? 1 : 0;
    CHECK(dropped == 3);  // the last one never began
    CHECK(import(server, body).status == 201);
}

TEST_CASE("history import: the daemon's refusal is the answer, and the connection goes on") {
    TestServer server;
    server.on_loop([&] {
        server.daemon().import_trouble =
            Error{ErrorCode::kExhausted, "disk_low", "The disk is full.", "Free some space.", ""};
    });
    RawClient client(server.port());
    const std::string body = history(600);
    client.send(server.request("POST", kRoute, kAdminToken, body, kNdjson));
    const Answer answer = client.read_answer();
    CHECK(answer.status == 507);
    CHECK(answer.has_code("disk_low"));
    client.send(server.request("GET", "/api/v1/status", kAdminToken));
    CHECK(client.read_answer().status == 200);
}

TEST_CASE("history import: a client that goes away in the middle leaves nothing") {
    TestServer server;
    {
        RawClient client(server.port());
        const std::string whole = server.request("POST", kRoute, kAdminToken, history(600), kNdjson);
        client.send(whole.substr(0, whole.size() - 100));
        while (server.on_loop([&] { return server.daemon().imported_portions.empty(); })) {
        }
    }
    while (calls(server).back() != "import dropped") {
    }
    server.on_loop([&] { CHECK(server.daemon().imported_lines.empty()); });
}

TEST_CASE("history import: only an admin may, with the right type and a body") {
    TestServer server;
    CHECK(import(server, history(1), kOperatorToken).status == 403);
    CHECK(server.send("POST", kRoute, kAdminToken, "{}", "Content-Type: application/json\r\n").status == 415);
    CHECK(server.send("POST", kRoute, kAdminToken).status == 422);
    CHECK(server.calls() == 0);
}

TEST_CASE("history import: imported jobs are listed page by page, apart from the queue") {
    TestServer server;
    REQUIRE(import(server, history(5)).status == 201);
    std::vector<std::string> seen;
    std::string cursor;
    do {
        const std::string path =
            std::string(kRoute) + "/jobs?limit=2" + (cursor.empty() ? "" : "&cursor=" + cursor);
        const json page = json::parse(server.send("GET", path, kViewerToken).body);
        for (const json& row : page["jobs"]) {
            seen.push_back(row["origin"].get<std::string>() + std::to_string(row["id"].get<int>()));
            CHECK_FALSE(row.contains("events"));
        }
        cursor = page["next"].is_null() ? "" : page["next"].get<std::string>();
    } while (!cursor.empty());
    CHECK(seen == std::vector<std::string>{"other5", "other4", "other3", "other2", "other1", "third7"});
    const json third =
        json::parse(server.send("GET", std::string(kRoute) + "/jobs?origin=third", kViewerToken).body);
    CHECK(third["jobs"].size() == 1);
    CHECK(json::parse(server.send("GET", "/api/v1/jobs", kViewerToken).body)["jobs"].empty());
    CHECK(server.send("GET", std::string(kRoute) + "/jobs?cursor=x", kViewerToken).status == 400);
}

}  // namespace nightshift::tests
