#include "api/history_stream.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "api/digest.h"
#include "api/history_codec.h"
#include "tests/api/test_server.h"

namespace nightshift::tests {
namespace {

using nlohmann::json;

std::vector<std::string> lines_of(const std::string& body) {
    std::vector<std::string> lines;
    std::istringstream text(body);
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
}

/// Three ended jobs among waiting ones, one with a checkpoint, and two fires.
void fill(FakeDaemon& daemon) {
    daemon.add_job(JobState::kSucceeded);
    daemon.add_job(JobState::kWaiting);
    Job& secret = daemon.add_job(JobState::kFailed);
    secret.spec.env = {{"PASSWORD", "swordfish"}};
    secret.hidden = true;
    daemon.histories_by_id[3].checkpoints = {{1, 40, Bytes{1000}, std::string(64, 'a'), UnixMs{1'000}}};
    daemon.histories_by_id[3].waits = {{"vram", UnixMs{1'000}, UnixMs{2'000}}};
    daemon.histories_by_id[3].unreadable = {"artifacts"};
    daemon.add_job(JobState::kCancelled);
    daemon.stored_fires = {{"nightly", UnixMs{1'000}, UnixMs{1'500}, "run", ""},
                           {"nightly", UnixMs{2'000}, UnixMs{2'500}, "skip", "overlap"}};
}

/// What the one reader of such files says of it.
Result<HistoryFacts> read(const std::string& body) {
    HistoryReader reader(api::sha256_hex, api::parse_history_line,
                         [](const std::string&, const HistoryLine&, std::string) {});
    NIGHTSHIFT_TRY(reader.read(body));
    NIGHTSHIFT_TRY(reader.finish());
    return reader.facts();
}

}  // namespace

TEST_CASE("history stream: a line for each ended job and each fire, counts in the last, no secret") {
    TestServer server;
    server.on_loop([&] { fill(server.daemon()); });
    const Answer answer = server.send("GET", "/api/v1/history", kViewerToken);
    REQUIRE(answer.status == 200);
    CHECK(answer.field("content-type").find("application/x-ndjson") == 0);
    CHECK(answer.body.find("swordfish") == std::string::npos);
    const auto lines = lines_of(answer.body);
    REQUIRE(lines.size() == 7);
    CHECK(json::parse(lines[0])["database"] == kDatabaseId);
    CHECK(json::parse(lines[1])["id"] == 1);
    const json failed = json::parse(lines[2]);
    CHECK(failed["id"] == 3);
    CHECK(failed["hidden"] == true);
    CHECK(failed["checkpoints"][0]["sha256"] == std::string(64, 'a'));
    CHECK(failed["waits"][0]["code"] == "vram");
    CHECK(failed["unreadable"] == json::array({"artifacts"}));
    CHECK(json::parse(lines[3])["state"] == "cancelled");
    CHECK(json::parse(lines[5])["reason"] == "overlap");
    const json end = json::parse(lines[6]);
    CHECK(end["jobs"] == 3);
    CHECK(end["fires"] == 2);
    CHECK(server.send("GET", "/api/v1/history", kViewerToken).body == answer.body);
    const auto facts = read(answer.body);
    REQUIRE_MESSAGE(facts, facts.error().message);
    CHECK(facts->chain == end["chain"]);
}

TEST_CASE("history stream: a range of jobs, in parts that fit together") {
    TestServer server;
    server.on_loop([&] {
        for (int i = 0; i < 100; ++i) server.daemon().add_job(JobState::kSucceeded);
    });
    const auto ids = [&](const std::string& query) {
        const std::string body = server.send("GET", "/api/v1/history" + query, kViewerToken).body;
        CHECK(read(body));
        std::vector<std::int64_t> found;
        for (const std::string& line : lines_of(body)) {
            const json object = json::parse(line);
            if (object["type"] == "job") found.push_back(object["id"].get<std::int64_t>());
        }
        return found;
    };
    std::vector<std::int64_t> parts = ids("?to=33");
    CHECK(parts.size() == 33);
    for (const std::int64_t id : ids("?from=34&to=66")) parts.push_back(id);
    for (const std::int64_t id : ids("?from=67")) parts.push_back(id);
    CHECK(parts == ids(""));
    CHECK(parts.size() == 100);
    CHECK(server.send("GET", "/api/v1/history?from=0", kViewerToken).status == 400);
    CHECK(server.send("GET", "/api/v1/history?form=1", kViewerToken).status == 400);
    CHECK(server.send("GET", "/api/v1/history", "").status == 401);
}

TEST_CASE("history stream: jobs in damaged pages are named, in stretches") {
    TestServer server;
    server.on_loop([&] {
        for (int i = 0; i < 60; ++i) server.daemon().add_job(JobState::kSucceeded);
        server.daemon().damaged_jobs = {3, 4, 5, 17, 60};
    });
    const std::string body = server.send("GET", "/api/v1/history", kViewerToken).body;
    const auto facts = read(body);
    REQUIRE_MESSAGE(facts, facts.error().message);
    CHECK(facts->jobs == 55);
    CHECK(facts->unreadable == 3);
    std::vector<std::pair<int, int>> stretches;
    for (const std::string& line : lines_of(body)) {
        const json object = json::parse(line);
        if (object["type"] != "unreadable") continue;
        CHECK(object["what"] == "jobs");
        stretches.emplace_back(object["from"], object["to"]);
    }
    CHECK(stretches == std::vector<std::pair<int, int>>{{3, 5}, {17, 17}, {60, 60}});
}

}  // namespace nightshift::tests
