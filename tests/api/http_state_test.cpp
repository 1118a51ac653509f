// Schedules, policy, queue, sessions and events, over a real socket.
#include "api/http_server.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/api/test_server.h"

namespace nightshift::tests {

using nlohmann::json;

TEST_CASE("http: schedules, policy and queue") {
    TestServer server;
    const char* schedule =
        R"({"name":"n","cron":"0 22 * * *","timezone":"Asia/Seoul","job":{"kind":"sleep"}})";
    CHECK(server.send("POST", "/api/v1/schedules", kOperatorToken, schedule).status == 201);
    CHECK(server.send("POST", "/api/v1/schedules", kOperatorToken, schedule).status == 409);
    const json next = server.send("GET", "/api/v1/schedules/n/next?count=3", kViewerToken).json()["next"];
    REQUIRE(next.size() == 3);
    CHECK(next[0]["utc"] == "2025-11-21T13:00:00.000Z");
    CHECK(next[0]["local"] == "2025-11-21T22:00:00");
    CHECK(next[2]["utc"] == "2025-11-23T13:00:00.000Z");
    CHECK(server.send("GET", "/api/v1/schedules/n/next?count=1001", kViewerToken).status == 400);
    CHECK(server.send("POST", "/api/v1/schedules/n/pause", kOperatorToken).json()["enabled"] == false);
    CHECK(server.send("POST", "/api/v1/schedules/n/run", kOperatorToken).json()["jobs"] == json{1});
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
    const json code = server.send("POST", "/api/v1/session/code", kOperatorToken).json();
    const std::string body = json{{"code", code["code"]}}.dump();
    const Answer session = server.send("POST", "/api/v1/session", "", body);
    CHECK(session.status == 201);
    CHECK(session.json()["role"] == "operator");
    CHECK(session.json()["expires_at"] == "2025-11-21T21:20:00.000Z");
    CHECK(server.send("POST", "/api/v1/session", "", body).status == 401);
    const std::string token = session.json()["token"];
    CHECK(server.send("GET", "/api/v1/status", token).status == 200);
    CHECK(server.send("DELETE", "/api/v1/session", token).status == 204);
    CHECK(server.send("GET", "/api/v1/status", token).status == 401);
    CHECK(server.send("DELETE", "/api/v1/session", kAdminToken).status == 409);
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

}  // namespace nightshift::tests
