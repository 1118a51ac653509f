// Connections: how they live, wait, are refused and end.
#include "api/http_server.h"

#include <doctest/doctest.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>

#include "tests/api/test_server.h"
#include "tests/support/scratch_folder.h"

namespace nightshift::tests {

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
