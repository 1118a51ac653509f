// The routes of jobs as a client sees them, over a real socket.
#include "api/http_server.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/api/test_server.h"

namespace nightshift::tests {

using nlohmann::json;

TEST_CASE("http: submit answers 201 with the job object, stores once and explains the wait") {
    TestServer server;
    const Answer answer =
        server.send("POST", "/api/v1/jobs", kOperatorToken,
                    R"({"kind":"sleep","name":"첫 작업","vram":"1GiB","params":{"seconds":3}})");
    CHECK(answer.status == 201);
    CHECK(answer.field("location") == "/api/v1/jobs/1");
    CHECK(answer.field("x-request-id") != "");
    CHECK(answer.field("cache-control") == "no-store");
    CHECK(answer.field("content-security-policy").find("default-src 'none'") == 0);
    CHECK(answer.field("x-content-type-options") == "nosniff");
    const json job = answer.json();
    for (const char* field :
         {"id",         "name",     "kind",    "class",       "state",        "held",     "priority",
          "params",     "command",  "cwd",     "vram",        "ram",          "window",   "created_at",
          "started_at", "ended_at", "attempt", "preemptions", "retries_left", "progress", "outcome",
          "after",      "labels",   "waiting", "schedule",    "peak_vram",    "version"}) {
        CAPTURE(field);
        CHECK(job.contains(field));
    }
    CHECK(job["id"] == 1);
    CHECK(job["name"] == "첫 작업");
    CHECK(job["state"] == "waiting");
    CHECK(job["vram"] == 1024 * 1024 * 1024);
    CHECK(job["created_at"] == "2025-11-21T09:20:00.000Z");
    CHECK(server.calls() == 1);
}

TEST_CASE("http: a refused submit is a problem with pointers and stores nothing") {
    TestServer server;
    const Answer answer =
        server.send("POST", "/api/v1/jobs", kOperatorToken, R"({"kind":"sleep","vram":"80GiB","priorty":1})");
    CHECK(answer.status == 422);
    CHECK(answer.field("content-type") == "application/problem+json");
    const json problem = answer.json();
    CHECK(problem["code"] == "vram_impossible");
    CHECK(problem["type"] == "/help/errors#vram_impossible");
    CHECK(problem["status"] == 422);
    CHECK(problem["title"] == "Vram impossible");
    CHECK(problem["instance"] == "/api/v1/jobs");
    CHECK(problem["request_id"] == answer.field("x-request-id"));
    REQUIRE(problem["errors"].size() == 2);
    CHECK(problem["errors"][1]["pointer"] == "/priorty");
    CHECK(problem["errors"][1]["hint"] == "Did you mean \"priority\"?");
    CHECK(server.calls() == 0);
}

TEST_CASE("http: a dry run explains and stores nothing") {
    TestServer server;
    const Answer answer =
        server.send("POST", "/api/v1/jobs?dry_run=1", kOperatorToken, R"({"kind":"sleep","hold":true})");
    CHECK(answer.status == 200);
    const json job = answer.json();
    CHECK(job["id"].is_null());
    CHECK(job["kind"] == "sleep");
    REQUIRE(job["why"]["gates"].size() >= 1);
    CHECK(job["why"]["gates"][0]["code"] == "held");
    CHECK(job["why"]["plan_seq"] == 7);
    CHECK(server.calls() == 0);
}

TEST_CASE("http: an Idempotency-Key gives the first answer again, and refuses another body") {
    TestServer server;
    const std::string key = "Idempotency-Key: night-1\r\n";
    const Answer first = server.send("POST", "/api/v1/jobs", kOperatorToken, R"({"kind":"sleep"})", key);
    const Answer again = server.send("POST", "/api/v1/jobs", kOperatorToken, R"({"kind":"sleep"})", key);
    CHECK(first.status == 201);
    CHECK(first.field("idempotency-replayed") == "");
    CHECK(again.status == 201);
    CHECK(again.field("idempotency-replayed") == "true");
    CHECK(again.json()["id"] == first.json()["id"]);
    const Answer other = server.send("POST", "/api/v1/jobs", kOperatorToken, R"({"kind":"score"})", key);
    CHECK(other.status == 422);
    CHECK(other.has_code("idempotency_mismatch"));
    CHECK(server.send("POST", "/api/v1/jobs", kOperatorToken, R"({"kind":"score"})", "Idempotency-Key: \r\n")
              .status == 422);
}

TEST_CASE("http: a key of a submit answers what was made, even where it would be refused by now") {
    TestServer server;
    const std::string key = "Idempotency-Key: night-2\r\n";
    const std::string body = R"({"kind":"sleep"})";
    REQUIRE(server.send("POST", "/api/v1/jobs", kOperatorToken, body, key).status == 201);
    server.on_loop([&] { server.daemon().known_kinds.clear(); });
    const Answer again = server.send("POST", "/api/v1/jobs", kOperatorToken, body, key);
    CHECK(again.status == 201);
    CHECK(again.field("location") == "/api/v1/jobs/1");
    CHECK(again.field("idempotency-replayed") == "true");
    // A dry run stores nothing and has nothing to repeat.
    CHECK(server.send("POST", "/api/v1/jobs?dry_run=1", kOperatorToken, body, key).status == 422);
    CHECK(server.calls() == 1);
}

TEST_CASE("http: other POSTs that create honour the key too") {
    TestServer server;
    server.on_loop([&] { server.daemon().add_job(JobState::kFailed); });
    const std::string key = "Idempotency-Key: again-1\r\n";
    const std::string schedule = R"({"name":"n","cron":"@daily","job":{"kind":"sleep"}})";
    const auto twice = [&](const char* path, const std::string& body, const char* location) {
        CAPTURE(path);
        const std::size_t calls = server.calls();
        const Answer first = server.send("POST", path, kOperatorToken, body, key);
        const Answer again = server.send("POST", path, kOperatorToken, body, key);
        CHECK(first.status == 201);
        CHECK(first.field("idempotency-replayed") == "");
        CHECK(again.status == 201);
        CHECK(again.body == first.body);
        CHECK(again.field("location") == location);
        CHECK(again.field("idempotency-replayed") == "true");
        CHECK(again.field("x-request-id") != first.field("x-request-id"));
        CHECK(server.calls() == calls + 1);
        const Answer other = server.send("POST", path, kOperatorToken, body + " ", key);
        CHECK(other.status == 422);
        CHECK(other.has_code("idempotency_mismatch"));
        CHECK(server.send("POST", path, kOperatorToken, body, "Idempotency-Key: \r\n").status == 422);
    };
    twice("/api/v1/jobs/1/retry", "", "/api/v1/jobs/2");
    twice("/api/v1/schedules", schedule, "/api/v1/schedules/n");
    twice("/api/v1/schedules/n/run", "", "");
    // The same key for another job is another request.
    CHECK(server.send("POST", "/api/v1/jobs/2/retry", kOperatorToken, "", key)
              .has_code("idempotency_mismatch"));
    // A refusal is not remembered.
    const std::string fresh = "Idempotency-Key: again-2\r\n";
    CHECK(server.send("POST", "/api/v1/jobs/9/retry", kOperatorToken, "", fresh).status == 404);
    CHECK(server.send("POST", "/api/v1/jobs/9/retry", kOperatorToken, "", fresh).status == 404);
}

TEST_CASE("http: list, filters and cursor") {
    TestServer server;
    server.on_loop([&] {
        for (int i = 0; i < 5; ++i)
            server.daemon().add_job(i < 2 ? JobState::kSucceeded : JobState::kWaiting);
    });
    json page = server.send("GET", "/api/v1/jobs?limit=2", kViewerToken).json();
    REQUIRE(page["jobs"].size() == 2);
    CHECK(page["jobs"][0]["id"] == 5);
    page = server.send("GET", "/api/v1/jobs?limit=4&cursor=" + page["next"].get<std::string>(), kViewerToken)
               .json();
    CHECK(page["jobs"].size() == 3);
    CHECK(page["next"].is_null());
    CHECK(server.send("GET", "/api/v1/jobs?state=finished", kViewerToken).json()["jobs"].size() == 2);
    CHECK(server.send("GET", "/api/v1/jobs?state=waiting,running", kViewerToken).json()["jobs"].size() == 3);
    for (const char* query :
         {"limit=0", "limit=201", "limit=x", "cursor=x", "state=runing", "colour=red", "class=fast"}) {
        CAPTURE(query);
        CHECK(server.send("GET", "/api/v1/jobs?" + std::string(query), kViewerToken).status == 400);
    }
    CHECK(server.send("GET", "/api/v1/jobs/99", kViewerToken).has_code("no_such_job"));
    CHECK(server.send("GET", "/api/v1/jobs/1x", kViewerToken).status == 404);
    CHECK(server.send("HEAD", "/api/v1/jobs/1", kViewerToken).status == 200);
    CHECK(server.send("GET", "/api/v1/nothing", kViewerToken).status == 404);
}

TEST_CASE("http: wait until finished answers when the job ends, or when the time is over") {
    TestServer server;
    server.on_loop([&] { server.daemon().add_job(JobState::kRunning); });
    RawClient client(server.port());
    client.send(server.request("GET", "/api/v1/jobs/1?wait=60s&until=finished", kViewerToken));
    // A request on another connection: the wait has begun or will see the state itself.
    CHECK(server.send("GET", "/api/v1/jobs/1", kViewerToken).status == 200);
    server.on_loop([&] { server.daemon().set_state(JobId{1}, JobState::kYielding); });
    server.on_loop([&] { server.daemon().set_state(JobId{1}, JobState::kSucceeded); });
    CHECK(client.read_answer().json()["state"] == "succeeded");
    server.on_loop([&] { server.daemon().add_job(JobState::kRunning); });
    CHECK(server.send("GET", "/api/v1/jobs/2?wait=50ms&until=finished", kViewerToken).json()["state"] ==
          "running");
    CHECK(server.send("GET", "/api/v1/jobs/2?wait=11m", kViewerToken).status == 400);
    CHECK(server.send("GET", "/api/v1/jobs/2?wait=1s&until=tomorrow", kViewerToken).status == 400);
}

TEST_CASE("http: patch needs the version, merges, and changes only names once started") {
    TestServer server;
    server.send("POST", "/api/v1/jobs", kOperatorToken, R"({"kind":"sleep","labels":{"a":"1","b":"2"}})");
    const auto patch = [&](const std::string& version, const std::string& body) {
        return server.send("PATCH", "/api/v1/jobs/1", kOperatorToken, body,
                           version.empty() ? "" : "If-Match: " + version + "\r\n");
    };
    CHECK(patch("", R"({"priority":5})").status == 428);
    CHECK(patch("\"9\"", R"({"priority":5})").status == 412);
    const Answer changed = patch("\"1\"", R"({"priority":5,"labels":{"a":null,"c":"3"}})");
    CHECK(changed.status == 200);
    CHECK(changed.field("etag") == "\"2\"");
    CHECK(changed.json()["priority"] == 5);
    CHECK(changed.json()["labels"] == json{{"b", "2"}, {"c", "3"}});
    CHECK(patch("*", R"({"colour":1})").status == 422);
    CHECK(patch("*", R"({"after":[1]})").has_code("circular_dependency"));
    CHECK(patch("*", R"({"hold":true})").status == 200);
    CHECK(server.on_loop([&] { return server.daemon().jobs_by_id[1].held; }));
    server.on_loop([&] { server.daemon().set_state(JobId{1}, JobState::kRunning); });
    CHECK(patch("*", R"({"priority":6})").has_code("state_conflict"));
    CHECK(patch("*", R"({"name":"new"})").json()["name"] == "new");
}

TEST_CASE("http: actions, and refusals that say what can be done") {
    TestServer server;
    server.on_loop([&] { server.daemon().add_job(JobState::kWaiting); });
    CHECK(server.send("POST", "/api/v1/jobs/1/hold", kOperatorToken).json()["held"] == true);
    CHECK(server.send("POST", "/api/v1/jobs/1/release", kOperatorToken).json()["held"] == false);
    CHECK(server.send("DELETE", "/api/v1/jobs/1", kOperatorToken).status == 409);
    CHECK(server.send("POST", "/api/v1/jobs/1/cancel", kOperatorToken).json()["state"] == "cancelled");
    const Answer again = server.send("POST", "/api/v1/jobs/1/cancel", kOperatorToken);
    CHECK(again.status == 409);
    CHECK(again.json()["current_state"] == "cancelled");
    CHECK(again.json()["allowed_actions"] == json{"retry", "delete"});
    const Answer retried = server.send("POST", "/api/v1/jobs/1/retry?dependents=1", kOperatorToken);
    CHECK(retried.status == 201);
    CHECK(retried.json()["rerun_of"] == 1);
    CHECK(server.send("DELETE", "/api/v1/jobs/1", kOperatorToken).status == 204);
    CHECK(server.send("POST", "/api/v1/jobs/2/move", kOperatorToken, R"({"to":"front"})").status == 501);
    CHECK(server.send("POST", "/api/v1/jobs/2/move", kOperatorToken, R"({"to":"sideways"})").status == 422);
    CHECK(server.send("POST", "/api/v1/jobs/2/move", kOperatorToken, R"({"before":1,"after":1})").status ==
          422);
}

TEST_CASE("http: why shows a VRAM gate whose numbers add up") {
    TestServer server;
    server.on_loop([&] {
        Job& job = server.daemon().add_job(JobState::kWaiting);
        job.spec.vram = gibibytes(20);
    });
    const json why = server.send("GET", "/api/v1/jobs/1/why", kViewerToken).json();
    CHECK(why["job"] == 1);
    CHECK(why["state"] == "waiting");
    bool has_vram = false;
    for (const json& gate : why["gates"]) {
        const json& detail = gate["detail"];
        if (!detail.contains("needed")) continue;
        has_vram = true;
        const std::int64_t sum = detail["capacity"].get<std::int64_t>() -
                                 detail["safety"].get<std::int64_t>() -
                                 detail["foreign"].get<std::int64_t>() - detail["held"].get<std::int64_t>() -
                                 detail["headroom"].get<std::int64_t>();
        CHECK(detail["available"] == std::max<std::int64_t>(0, sum));
        CHECK(detail["needed"] == gibibytes(20).value);
    }
    CHECK(has_vram);
    CHECK(why.contains("eta"));
    CHECK(why["would_start_if"].is_array());
}

}  // namespace nightshift::tests
