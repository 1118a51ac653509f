#include "api/history_codec.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/api/test_server.h"

namespace nightshift::tests {
namespace {

using nlohmann::json;

std::string words_of(const std::string& text) {
    const auto line = api::parse_history_line(text);
    return line ? "" : line.error().message;
}

}  // namespace

TEST_CASE("history codec: lines of every type are read") {
    using Type = HistoryLine::Type;
    const auto read = [](const char* text) {
        const auto line = api::parse_history_line(text);
        REQUIRE_MESSAGE(line, line.error().message);
        return *line;
    };
    const HistoryLine header = read(R"({"type":"nightshift-history","format":3,"database":"ab"})");
    CHECK(header.type == Type::kHeader);
    CHECK(header.format == 3);
    CHECK(header.database == "ab");
    CHECK(read(R"({"type":"origin","database":"cd"})").database == "cd");
    const HistoryLine job =
        read(R"({"type":"job","id":7,"version":4,"name":"첫째","kind":"sleep","state":"failed","more":[1]})");
    CHECK(job.type == Type::kJob);
    CHECK(job.number == 7);
    CHECK(job.version == 4);
    CHECK(read(R"({"type":"fire","schedule":"밤","nominal":"2026-11-21T13:00:00.000Z"})").text ==
          "밤\x01"
          "2026-11-21T13:00:00.000Z");
    CHECK(read(R"({"type":"unreadable","what":"jobs","from":3,"to":9})").number == 3);
    CHECK(read(R"({"type":"end","jobs":1,"fires":2,"unreadable":3})").unreadable == 3);
}

TEST_CASE("history codec: what is no line of a history is refused") {
    CHECK(words_of("[1]") == "is no JSON object");
    CHECK(words_of(R"({"type":"job","id":1)") == "is no JSON object");
    CHECK(words_of(R"({"type":"end","jobs":1,"jobs":2})") == "is no JSON object");
    CHECK(words_of(R"({"type":"song"})") == "is of no known type");
    CHECK(words_of(R"({"type":7})") == "is of no known type");
    CHECK(words_of(R"({"type":"job","id":0,"version":1,"name":"a","kind":"b","state":"failed"})")
              .find("without id") != std::string::npos);
    CHECK(words_of(R"({"type":"job","id":1.5,"version":1,"name":"a","kind":"b","state":"failed"})")
              .find("without id") != std::string::npos);
    CHECK(words_of(
              R"({"type":"job","id":9223372036854775808,"version":1,"name":"a","kind":"b","state":"failed"})")
              .find("without id") != std::string::npos);
    CHECK(words_of(R"({"type":"job","id":1,"version":1,"name":"a","kind":"b","state":"running"})") ==
          "is a job that has not ended");
    CHECK(words_of(R"({"type":"fire","schedule":"a","nominal":"night"})").find("schedule or time") !=
          std::string::npos);
    CHECK(words_of(R"({"type":"end","jobs":1,"fires":-2,"unreadable":3})") == "tells no counts");
    CHECK(words_of(R"({"type":"nightshift-history","database":"ab"})") == "tells no format");
}

TEST_CASE("history codec: what makes a line too long is left out and named") {
    TestServer server;
    server.on_loop([&] {
        server.daemon().add_job(JobState::kSucceeded);
        auto& history = server.daemon().histories_by_id[1];
        for (int i = 0; i < 200; ++i) {
            history.artifacts.push_back({1, std::string(30'000, 'x'), "file", Bytes{1}, "00"});
        }
        for (int i = 0; i < db::kHistoryEventsMax; ++i) {
            history.events.push_back({EventSeq{i + 1}, {}, "job", "edited", JobId{1}, 0, "a", "{}"});
        }
    });
    const std::string body = server.send("GET", "/api/v1/history", kViewerToken).body;
    const std::size_t begin = body.find('\n') + 1;
    const std::string line = body.substr(begin, body.find('\n', begin) - begin);
    CHECK(line.size() <= kHistoryLineBytesMax);
    const json job = json::parse(line);
    CHECK(job["left_out"] == json::array({"later events", "events", "artifacts"}));
    CHECK(job["artifacts"].empty());
}

}  // namespace nightshift::tests
