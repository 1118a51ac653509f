// The routes as a client sees them, over a real socket.
#include "api/http_server.h"

#include <doctest/doctest.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "api/digest.h"
#include "tests/api/test_server.h"
#include "tests/support/scratch_folder.h"

namespace nightshift::tests {
namespace {

using nlohmann::json;

json body_of(const Answer& answer) {
    return json::parse(answer.body);
}

void write_file(const std::filesystem::path& path, const std::string& text) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
}

}  // namespace

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
    const json job = body_of(answer);
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
    const json problem = body_of(answer);
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
    const json job = body_of(answer);
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
    CHECK(body_of(again)["id"] == body_of(first)["id"]);
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
    json page = body_of(server.send("GET", "/api/v1/jobs?limit=2", kViewerToken));
    REQUIRE(page["jobs"].size() == 2);
    CHECK(page["jobs"][0]["id"] == 5);
    page = body_of(
        server.send("GET", "/api/v1/jobs?limit=4&cursor=" + page["next"].get<std::string>(), kViewerToken));
    CHECK(page["jobs"].size() == 3);
    CHECK(page["next"].is_null());
    CHECK(body_of(server.send("GET", "/api/v1/jobs?state=finished", kViewerToken))["jobs"].size() == 2);
    CHECK(body_of(server.send("GET", "/api/v1/jobs?state=waiting,running", kViewerToken))["jobs"].size() ==
          3);
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
    CHECK(body_of(client.read_answer())["state"] == "succeeded");
    server.on_loop([&] { server.daemon().add_job(JobState::kRunning); });
    CHECK(body_of(server.send("GET", "/api/v1/jobs/2?wait=50ms&until=finished", kViewerToken))["state"] ==
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
    CHECK(body_of(changed)["priority"] == 5);
    CHECK(body_of(changed)["labels"] == json{{"b", "2"}, {"c", "3"}});
    CHECK(patch("*", R"({"colour":1})").status == 422);
    CHECK(patch("*", R"({"after":[1]})").has_code("circular_dependency"));
    CHECK(patch("*", R"({"hold":true})").status == 200);
    CHECK(server.on_loop([&] { return server.daemon().jobs_by_id[1].held; }));
    server.on_loop([&] { server.daemon().set_state(JobId{1}, JobState::kRunning); });
    CHECK(patch("*", R"({"priority":6})").has_code("state_conflict"));
    CHECK(body_of(patch("*", R"({"name":"new"})"))["name"] == "new");
}

TEST_CASE("http: actions, and refusals that say what can be done") {
    TestServer server;
    server.on_loop([&] { server.daemon().add_job(JobState::kWaiting); });
    CHECK(body_of(server.send("POST", "/api/v1/jobs/1/hold", kOperatorToken))["held"] == true);
    CHECK(body_of(server.send("POST", "/api/v1/jobs/1/release", kOperatorToken))["held"] == false);
    CHECK(server.send("DELETE", "/api/v1/jobs/1", kOperatorToken).status == 409);
    CHECK(body_of(server.send("POST", "/api/v1/jobs/1/cancel", kOperatorToken))["state"] == "cancelled");
    const Answer again = server.send("POST", "/api/v1/jobs/1/cancel", kOperatorToken);
    CHECK(again.status == 409);
    CHECK(body_of(again)["current_state"] == "cancelled");
    CHECK(body_of(again)["allowed_actions"] == json{"retry", "delete"});
    const Answer retried = server.send("POST", "/api/v1/jobs/1/retry?dependents=1", kOperatorToken);
    CHECK(retried.status == 201);
    CHECK(body_of(retried)["rerun_of"] == 1);
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
    const json why = body_of(server.send("GET", "/api/v1/jobs/1/why", kViewerToken));
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

TEST_CASE("http: artifacts are served by their recorded names only, and links are not followed") {
    ScratchFolder scratch;
    TestServer server;
    const auto output = scratch / "jobs/1/2/output";
    write_file(output / "sub 폴더" / "report.html", "<h1>x</h1>");
    write_file(output / "secret.txt", "not recorded");
    write_file(scratch / "outside.txt", "outside");
    std::filesystem::create_symlink(scratch / "outside.txt", output / "link.txt");
    std::filesystem::create_directory_symlink(scratch.path(), output / "linked");
    server.on_loop([&] {
        server.daemon().folder = scratch.path().string();
        server.daemon().add_job(JobState::kSucceeded);
        for (const char* name :
             {"sub 폴더/report.html", "link.txt", "linked/outside.txt", "sub 폴더", "gone.txt"}) {
            server.daemon().artifacts_by_id[1].push_back({2, name, "file", Bytes{10}, "abc"});
        }
    });
    const json list = body_of(server.send("GET", "/api/v1/jobs/1/artifacts", kViewerToken))["artifacts"];
    REQUIRE(list.size() == 5);
    const std::string url = list[0]["url"];
    CHECK(url == "/api/v1/jobs/1/artifacts/sub%20%ED%8F%B4%EB%8D%94/report.html");
    const Answer file = server.send("GET", url, kViewerToken);
    CHECK(file.status == 200);
    CHECK(file.body == "<h1>x</h1>");
    CHECK(file.field("content-disposition").find("attachment") == 0);
    CHECK(file.field("content-security-policy").find("sandbox") == 0);
    const auto status = [&](const std::string& name) {
        return server.send("GET", "/api/v1/jobs/1/artifacts/" + name, kViewerToken).status;
    };
    CHECK(status("secret.txt") == 404);
    CHECK(status("link.txt") == 404);
    CHECK(status("linked/outside.txt") == 404);
    CHECK(status("gone.txt") == 404);
    CHECK(status("sub%20%ED%8F%B4%EB%8D%94") == 409);
    for (const char* name :
         {"../secret.txt", "%2e%2e/%2e%2e/outside.txt", "..%5c..%5coutside.txt", "..%2foutside.txt"}) {
        CAPTURE(name);
        CHECK(status(name) == 400);
    }
    for (const char* name :
         {";/../outside.txt", "C:x", "CON", "file:stream", "report.html.", "report.html%20"}) {
        CAPTURE(name);
        CHECK((status(name) == 404 || status(name) == 400));
    }
    CHECK(status(std::string(3000, 'a')) == 404);
    // A ticket shows the report in a sandbox, without a credential.
    const Answer ticket = server.send("POST", url + "/ticket", kViewerToken);
    CHECK(ticket.status == 201);
    CHECK(body_of(ticket)["expires_in"] == 60);
    const Answer shown = server.send("GET", body_of(ticket)["url"].get<std::string>(), "", "",
                                     "Sec-Fetch-Site: same-origin\r\n");
    CHECK(shown.status == 200);
    CHECK(shown.body == "<h1>x</h1>");
    CHECK(shown.field("content-security-policy") ==
          "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:");
    CHECK(shown.field("content-type").find("text/html") == 0);
    CHECK(shown.field("content-disposition") == "");
    server.on_loop([&] { server.daemon().time = server.daemon().time + seconds(61); });
    CHECK(server.send("GET", body_of(ticket)["url"].get<std::string>(), "").status == 404);
}

TEST_CASE("http: schedules, policy and queue") {
    TestServer server;
    const char* schedule =
        R"({"name":"n","cron":"0 22 * * *","timezone":"Asia/Seoul","job":{"kind":"sleep"}})";
    CHECK(server.send("POST", "/api/v1/schedules", kOperatorToken, schedule).status == 201);
    CHECK(server.send("POST", "/api/v1/schedules", kOperatorToken, schedule).status == 409);
    const json next = body_of(server.send("GET", "/api/v1/schedules/n/next?count=3", kViewerToken))["next"];
    REQUIRE(next.size() == 3);
    CHECK(next[0]["utc"] == "2025-11-21T13:00:00.000Z");
    CHECK(next[0]["local"] == "2025-11-21T22:00:00");
    CHECK(next[2]["utc"] == "2025-11-23T13:00:00.000Z");
    CHECK(server.send("GET", "/api/v1/schedules/n/next?count=1001", kViewerToken).status == 400);
    CHECK(body_of(server.send("POST", "/api/v1/schedules/n/pause", kOperatorToken))["enabled"] == false);
    CHECK(body_of(server.send("POST", "/api/v1/schedules/n/run", kOperatorToken))["jobs"] == json{1});
    CHECK(server.send("PUT", "/api/v1/schedules/m", kOperatorToken, schedule).status == 422);
    CHECK(server.send("DELETE", "/api/v1/schedules/n", kOperatorToken).status == 204);
    CHECK(server.send("GET", "/api/v1/schedules/n", kViewerToken).status == 404);

    const Answer policy = server.send("GET", "/api/v1/policy", kViewerToken);
    CHECK(policy.field("etag") == "\"1\"");
    const std::string typo = R"({"clases":{}})";
    CHECK(server.send("PUT", "/api/v1/policy", kAdminToken, typo).has_code("unknown_field"));
    CHECK(server.send("PUT", "/api/v1/policy", kAdminToken, policy.body, "If-Match: \"9\"\r\n").status ==
          412);
    CHECK(server.send("PUT", "/api/v1/policy", kAdminToken, policy.body, "If-Match: \"1\"\r\n").status ==
          200);
    CHECK(server.send("POST", "/api/v1/queue/pause", kOperatorToken, R"({"reason":"tests","until":"23:00"})")
              .status == 200);
    CHECK(server.send("POST", "/api/v1/queue/pause", kOperatorToken, R"({"until":"yesterday"})").status ==
          422);
    CHECK(server.send("POST", "/api/v1/queue/resume", kOperatorToken).status == 200);
}

TEST_CASE("http: a code becomes a session once, and signing out forgets it") {
    TestServer server;
    const json code = body_of(server.send("POST", "/api/v1/session/code", kOperatorToken));
    const std::string body = json{{"code", code["code"]}}.dump();
    const Answer session = server.send("POST", "/api/v1/session", "", body);
    CHECK(session.status == 201);
    CHECK(body_of(session)["role"] == "operator");
    CHECK(body_of(session)["expires_at"] == "2025-11-21T21:20:00.000Z");
    CHECK(server.send("POST", "/api/v1/session", "", body).status == 401);
    const std::string token = body_of(session)["token"];
    CHECK(server.send("GET", "/api/v1/status", token).status == 200);
    CHECK(server.send("DELETE", "/api/v1/session", token).status == 204);
    CHECK(server.send("GET", "/api/v1/status", token).status == 401);
    CHECK(server.send("DELETE", "/api/v1/session", kAdminToken).status == 409);
}

TEST_CASE("http: public answers, the proof, and the pages") {
    TestServer server;
    CHECK(server.send("GET", "/livez", "").body == "ok\n");
    CHECK(server.send("GET", "/readyz", "").body == "ready\n");
    const std::string nonce = "nonce-0123456789-abcdef";
    const Answer proof = server.send("GET", "/livez?challenge=" + nonce, "");
    CHECK(proof.body.find(api::proof_of(api::sha256_hex(kViewerToken), server.port(), nonce)) !=
          std::string::npos);
    CHECK(server.send("GET", "/livez?challenge=short", "").status == 400);
    CHECK(server.send("GET", "/", "").field("content-type").find("text/plain") == 0);
    const Answer page = server.send("GET", "/", "", "", "Accept: text/html\r\n");
    CHECK(page.field("content-type").find("text/html") == 0);
    CHECK(page.field("cache-control") == "no-cache");
    CHECK(page.field("x-frame-options") == "DENY");
    CHECK(page.field("etag") != "");
    const std::string more = "Accept: text/html\r\nIf-None-Match: " + page.field("etag") + "\r\n";
    CHECK(server.send("GET", "/", "", "", more).status == 304);
    CHECK(server.send("GET", "/no/such/file.js", "").status == 404);
    const Answer metrics = server.send("GET", "/metrics", kViewerToken);
    CHECK(metrics.body.find(
              "nightshift_http_requests_total{route=\"/livez\",method=\"GET\",status=\"200\"} 2") !=
          std::string::npos);
    for (const char* path :
         {"/api/v1/status", "/api/v1/kinds", "/api/v1/gpu", "/api/v1/gpu/history", "/api/v1/openapi.json"}) {
        CAPTURE(path);
        const Answer answer = server.send("GET", path, kViewerToken);
        CHECK(answer.status == 200);
        CHECK(json::accept(answer.body));
    }
    CHECK(body_of(server.send("GET", "/api/v1/status", kViewerToken))["role"] == "viewer");
}

TEST_CASE("http: events are replayed, then live; old ids and slow ids get resync") {
    TestServer server;
    server.on_loop([&] {
        for (int i = 0; i < 3; ++i) server.daemon().publish("job", "submitted", JobId{1});
    });
    RawClient client(server.port());
    client.send(server.request("GET", "/api/v1/events?after=1", kViewerToken));
    std::string seen = client.read_until("id: 3\n");
    CHECK(seen.find("id: 1\n") == std::string::npos);
    CHECK(seen.find("id: 2\nevent: job\ndata: {") != std::string::npos);
    CHECK(seen.find("Content-Type: text/event-stream") != std::string::npos);
    server.on_loop([&] { server.daemon().publish("queue", "paused"); });
    server.on_loop([&] { server.daemon().publish_sample("gpu", R"({"used":7})"); });
    seen = client.read_until("\"used\":7");
    CHECK(seen.find("id: 4\nevent: queue\n") != std::string::npos);
    CHECK(seen.find("event: gpu\n") != std::string::npos);
    server.on_loop([&] {
        server.daemon().oldest_event = EventSeq{3};
        server.daemon().stored_events.erase(server.daemon().stored_events.begin(),
                                            server.daemon().stored_events.begin() + 2);
    });
    for (const char* more : {"Last-Event-ID: 1\r\n", "Last-Event-ID: 99\r\n", "Last-Event-ID: x\r\n"}) {
        RawClient late(server.port());
        late.send(server.request("GET", "/api/v1/events", kViewerToken, "", more));
        CAPTURE(more);
        CHECK(late.read_until("event: resync").find("event: resync") != std::string::npos);
    }
}

TEST_CASE("http: a reader of events that stops reading is dropped and disturbs nobody") {
    api::ConnectionLimits limits;
    limits.write_stall = Millis{200};
    TestServer server(limits);
    RawClient stuck(server.port());
    stuck.send(server.request("GET", "/api/v1/events", kViewerToken));
    stuck.read_until("connected");
    const std::string payload(8'000, 'x');
    server.on_loop([&] {
        for (int i = 0; i < 3'000; ++i) server.daemon().publish("job", payload, JobId{1});
    });
    CHECK(server.send("GET", "/livez", "").status == 200);
    const std::string rest = stuck.read_until("\r\n0\r\n\r\n");
    CHECK(rest.size() < 3'000u * payload.size());
    CHECK(server.send("GET", "/metrics", kViewerToken).body.find("nightshift_events_dropped_total 0\n") ==
          std::string::npos);
}

TEST_CASE("http: keep-alive, pipelining and HTTP/1.0") {
    TestServer server;
    RawClient client(server.port());
    const std::string get = server.request("GET", "/api/v1/status", kViewerToken);
    const std::string post = server.request("POST", "/api/v1/jobs", kOperatorToken, R"({"kind":"sleep"})");
    client.send(get + post + get);
    CHECK(client.read_answer().status == 200);
    CHECK(client.read_answer().status == 201);
    CHECK(client.read_answer().status == 200);
    client.send("POST /api/v1/jobs HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                "\r\nAuthorization: Bearer " + kOperatorToken +
                "\r\nContent-Type: application/json\r\nTransfer-Encoding: "
                "chunked\r\n\r\n7\r\n{\"kind\"\r\n9\r\n:\"sleep\"}\r\n0\r\n\r\n");
    CHECK(client.read_answer().status == 201);
    const Answer old = server.send_raw(
        "GET /livez HTTP/1.0\r\nHost: localhost:" + std::to_string(server.port()) + "\r\n\r\n");
    CHECK(old.status == 200);
    CHECK(old.is_closed);
}

TEST_CASE("http: Expect gets its 100 before the body, and a refusal instead of it") {
    TestServer server;
    RawClient client(server.port());
    const std::string body = R"({"kind":"sleep"})";
    const std::string whole =
        server.request("POST", "/api/v1/jobs", kOperatorToken, body, "Expect: 100-continue\r\n");
    client.send(whole.substr(0, whole.size() - body.size()));
    CHECK(client.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
    static_cast<void>(client.read_answer());
    client.send(body);
    CHECK(client.read_answer().status == 201);
    RawClient refused(server.port());
    const std::string bad = server.request("POST", "/api/v1/jobs", "wrong", body, "Expect: 100-continue\r\n");
    refused.send(bad.substr(0, bad.size() - body.size()));
    CHECK(refused.read_answer().status == 401);
}

TEST_CASE("http: the connection above the limit is told 503, and slow ones are cut") {
    api::ConnectionLimits limits;
    limits.connections_max = 3;
    limits.header_deadline = Millis{100};
    limits.idle_deadline = seconds(10);
    limits.body_deadline = Millis{100};
    TestServer server(limits);
    {
        RawClient a(server.port()), b(server.port()), c(server.port());
        for (RawClient* client : {&a, &b, &c}) {
            client->send(server.request("GET", "/livez", ""));
            CHECK(client->read_answer().status == 200);
        }
        RawClient d(server.port());
        const Answer busy = d.read_answer();
        CHECK(busy.status == 503);
        CHECK(busy.has_code("too_many_connections"));
        CHECK(busy.field("retry-after") != "");
        a.send("GET /livez HTT");
        CHECK(a.read_answer().status == 408);
        CHECK(a.is_closed_by_server());
        const std::string post =
            server.request("POST", "/api/v1/jobs", kOperatorToken, R"({"kind":"sleep"})");
        b.send(post.substr(0, post.size() - 1));
        CHECK(b.read_answer().status == 408);
    }
    CHECK(server.calls() == 0);
}

TEST_CASE("http: a daemon that answers later is waited for") {
    TestServer server;
    server.on_loop([&] { server.daemon().holds_replies = true; });
    RawClient client(server.port());
    client.send(server.request("POST", "/api/v1/jobs", kOperatorToken, R"({"kind":"sleep"})"));
    while (server.on_loop([&] { return server.daemon().held_replies.empty(); })) std::this_thread::yield();
    CHECK(server.send("GET", "/livez", "").status == 200);
    server.on_loop([&] { server.daemon().held_replies[0](); });
    CHECK(client.read_answer().status == 201);
}

TEST_CASE("http: the local socket needs no token of its owner") {
    ScratchFolder scratch;
    const std::string path = (scratch / "n.sock").string();
    TestServer server({}, path);
    CHECK(std::filesystem::status(path).permissions() ==
          (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
    const int handle = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::connect(handle, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    const std::string request =
        "GET /api/v1/status HTTP/1.1\r\nHost: nightshift\r\nConnection: close\r\n\r\n";
    CHECK(::send(handle, request.data(), request.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(request.size()));
    std::string answer;
    char piece[4096];
    for (ssize_t got = 0; (got = ::recv(handle, piece, sizeof piece, 0)) > 0;)
        answer.append(piece, static_cast<std::size_t>(got));
    ::close(handle);
    CHECK(answer.find("HTTP/1.1 200") == 0);
    CHECK(answer.find("\"role\":\"admin\"") != std::string::npos);
}

TEST_CASE("http: only loopback addresses, and a taken port is said plainly") {
    FakeDaemon daemon;
    boost::asio::io_context loop;
    api::ServerOptions options;
    options.port = 0;
    options.address = "0.0.0.0";
    auto wide = api::HttpServer::start(loop, options, daemon, daemon);
    REQUIRE_FALSE(wide);
    CHECK(wide.error().reason == "address_not_loopback");
    options.address = "127.0.0.1";
    auto first = api::HttpServer::start(loop, options, daemon, daemon);
    REQUIRE(first);
    options.port = (*first)->port();
    auto second = api::HttpServer::start(loop, options, daemon, daemon);
    REQUIRE_FALSE(second);
    CHECK(second.error().reason == "address_in_use");
    CHECK(second.error().hint.find("--listen") != std::string::npos);
}

}  // namespace nightshift::tests
