// The attacks of the threat model, each against the real server over a real socket. The numbers are
// those of the security design's test list.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "api/router.h"
#include "tests/api/test_server.h"

namespace nightshift::tests {
namespace {

/// A path that fits a route's pattern.
std::string example_path(std::string_view pattern) {
    std::string out;
    while (!pattern.empty()) {
        const std::size_t open = pattern.find('{');
        out += pattern.substr(0, open);
        if (open == std::string_view::npos) break;
        out += "1";
        pattern.remove_prefix(pattern.find('}') + 1);
    }
    return out;
}

std::string raw(const std::string& line, const std::string& fields, const std::string& body = "") {
    return line + "\r\n" + fields + "\r\n" + body;
}

constexpr const char* kJob = R"({"kind":"sleep"})";

std::string bearer(const char* token) {
    return "Authorization: Bearer " + std::string(token) + "\r\n";
}

}  // namespace

TEST_CASE("S01: another Host is refused on every route and method, and nothing is queued") {
    TestServer server;
    for (const api::Route& route : api::routes()) {
        for (const char* method : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"}) {
            const std::string line = std::string(method) + " " + example_path(route.pattern) + " HTTP/1.1";
            const std::string fields = "Host: evil.test:" + std::to_string(server.port()) + "\r\n" +
                                       bearer(kAdminToken) +
                                       "Content-Type: application/json\r\nContent-Length: 16\r\n";
            const Answer answer = server.send_raw(raw(line, fields, kJob), std::string(method) == "HEAD");
            CAPTURE(line);
            CHECK(answer.status == 403);
            if (std::string(method) != "HEAD") CHECK(answer.has_code("host_not_allowed"));
            CHECK(answer.is_closed);
        }
    }
    CHECK(server.calls() == 0);
}

TEST_CASE("S02: only the listed forms of Host pass") {
    TestServer server;
    const std::string port = std::to_string(server.port());
    const auto status = [&](const std::string& hosts) {
        return server.send_raw(raw("GET /livez HTTP/1.1", hosts)).status;
    };
    for (const std::string good :
         {"127.0.0.1", "localhost", "LOCALHOST", "localhost.", "[::1]", "127.0.0.1."}) {
        CAPTURE(good);
        CHECK(status("Host: " + good + ":" + port + "\r\n") == 200);
    }
    for (const std::string bad :
         {"127.1", "0.0.0.0", "[::ffff:127.0.0.1]", "2130706433", "0x7f000001", "localhost..", "evil.test",
          "localhost.evil.test", "127.0.0.1.nip.io", "user@127.0.0.1", "[::1%25lo]", "[::]", ""}) {
        CAPTURE(bad);
        CHECK(status("Host: " + bad + ":" + port + "\r\n") == 403);
    }
    CHECK(status("Host: 127.0.0.1:1\r\n") == 403);
    CHECK(status("Host: 127.0.0.1\r\n") == 403);
    CHECK(status("Host: \r\n") == 403);
    CHECK(status("") == 403);
    const std::string good_line = "Host: 127.0.0.1:" + port + "\r\n";
    const std::string bad_line = "Host: evil.test\r\n";
    CHECK(status(good_line + bad_line) == 400);
    CHECK(status(bad_line + good_line) == 400);
    CHECK(status(good_line + good_line) == 400);
}

TEST_CASE("S03: an absolute-form target is refused though its Host is good") {
    TestServer server;
    const std::string host = "Host: 127.0.0.1:" + std::to_string(server.port()) + "\r\n";
    for (const char* target :
         {"http://evil/api/v1/status", "http://127.0.0.1/livez", "*", "evil:80", "//evil/livez",
          "/a/../livez", "/%2e%2e/livez", "/a%2fb", "/a%5Cb", "/a%00b", "/a%0d%0ab", "/a%zz", "/a b"}) {
        const Answer answer = server.send_raw(raw("GET " + std::string(target) + " HTTP/1.1", host));
        CAPTURE(target);
        CHECK(answer.status == 400);
        CHECK(answer.is_closed);
    }
}

TEST_CASE("S04: Host and Authorization in trailers change nothing") {
    TestServer server;
    const std::string port = std::to_string(server.port());
    const std::string chunks = "10\r\n" + std::string(kJob) + "\r\n0\r\n";
    const std::string common = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n";
    // No credential in the head: one in the trailer does not count.
    Answer answer =
        server.send_raw(raw("POST /api/v1/jobs HTTP/1.1", "Host: 127.0.0.1:" + port + "\r\n" + common,
                            chunks + bearer(kAdminToken) + "\r\n"));
    CHECK(answer.status == 401);
    CHECK(server.calls() == 0);
    // A viewer does not become an admin, and a good request is not spoiled.
    const std::string trailer = "Host: evil.test\r\n" + bearer(kAdminToken) + "\r\n";
    answer = server.send_raw(raw("POST /api/v1/jobs HTTP/1.1",
                                 "Host: 127.0.0.1:" + port + "\r\n" + bearer(kViewerToken) + common,
                                 chunks + trailer));
    CHECK(answer.status == 403);
    CHECK(server.calls() == 0);
    answer = server.send_raw(raw("POST /api/v1/jobs HTTP/1.1",
                                 "Host: 127.0.0.1:" + port + "\r\n" + bearer(kOperatorToken) + common,
                                 chunks + trailer));
    CHECK(answer.status == 201);
    CHECK(server.calls() == 1);
}

TEST_CASE("S05: bad framing is 400 and close, and what follows on the connection is never executed") {
    TestServer server;
    const std::string host = "Host: 127.0.0.1:" + std::to_string(server.port()) + "\r\n" +
                             bearer(kAdminToken) + "Content-Type: application/json\r\n";
    const std::string second = server.request("POST", "/api/v1/jobs", kAdminToken, kJob);
    const std::string size = "Content-Length: 16\r\n";
    const std::string chunked_body = "10\r\n" + std::string(kJob) + "\r\n0\r\n\r\n";
    struct Case {
        const char* name;
        std::string bytes;
    };
    const std::string post = "POST /api/v1/jobs HTTP/1.1";
    const std::vector<Case> cases = {
        {"CL then TE", raw(post, host + size + "Transfer-Encoding: chunked\r\n", chunked_body)},
        {"TE then CL", raw(post, host + "Transfer-Encoding: chunked\r\n" + size, chunked_body)},
        {"TE gzip with CL", raw(post, host + "Transfer-Encoding: gzip\r\n" + size, kJob)},
        {"TE gzip alone", raw(post, host + "Transfer-Encoding: gzip\r\n", "")},
        {"TE chunked, gzip", raw(post, host + "Transfer-Encoding: chunked, gzip\r\n", chunked_body)},
        {"TE gzip, chunked", raw(post, host + "Transfer-Encoding: gzip, chunked\r\n", chunked_body)},
        {"TE identity", raw(post, host + "Transfer-Encoding: identity\r\n" + size, kJob)},
        {"two TE lines",
         raw(post, host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", chunked_body)},
        {"blank before the colon", raw(post, host + "Transfer-Encoding : chunked\r\n", chunked_body)},
        {"duplicate CL", raw(post, host + size + size, kJob)},
        {"differing CL", raw(post, host + size + "Content-Length: 0\r\n", kJob)},
        {"CL list", raw(post, host + "Content-Length: 16, 16\r\n", kJob)},
        {"CL +16", raw(post, host + "Content-Length: +16\r\n", kJob)},
        {"CL 0x10", raw(post, host + "Content-Length: 0x10\r\n", kJob)},
        {"CL -1", raw(post, host + "Content-Length: -1\r\n", kJob)},
        {"CL empty", raw(post, host + "Content-Length: \r\n", kJob)},
        {"CL beyond 64 bits", raw(post, host + "Content-Length: 99999999999999999999\r\n", kJob)},
        {"chunked in HTTP/1.0",
         raw("POST /api/v1/jobs HTTP/1.0", host + "Transfer-Encoding: chunked\r\n", chunked_body)},
        {"a body in HTTP/1.0", raw("POST /api/v1/jobs HTTP/1.0", host + size, kJob)},
        {"HTTP/2.0", raw("POST /api/v1/jobs HTTP/2.0", host + size, kJob)},
        {"bare LF", "POST /api/v1/jobs HTTP/1.1\n" + host + size + "\r\n" + kJob},
        {"bare LF in the fields", raw(post, host + "X-A: b\n" + size, kJob)},
        {"bare CR", raw(post, host + "X-A: b\rc\r\n" + size, kJob)},
        {"folded line", raw(post, host + "X-A: b\r\n c\r\n" + size, kJob)},
        {"NUL", raw(post, host + "X-A: b" + std::string(1, '\0') + "\r\n" + size, kJob)},
        {"control byte", raw(post, host + "X-A: b\x01\r\n" + size, kJob)},
        {"byte above ASCII", raw(post, host + "X-A: \xed\x95\x9c\r\n" + size, kJob)},
        {"no colon", raw(post, host + "nonsense\r\n" + size, kJob)},
        {"a body on GET", raw("GET /api/v1/status HTTP/1.1", host + size, kJob)},
        {"three blanks", raw("POST  /api/v1/jobs HTTP/1.1", host + size, kJob)},
        {"raw UTF-8 target", raw("GET /\xed\x95\x9c HTTP/1.1", host)},
    };
    for (const Case& attack : cases) {
        RawClient client(server.port());
        client.send(attack.bytes + second);
        const Answer answer = client.read_answer();
        CAPTURE(attack.name);
        CHECK(answer.status == 400);
        CHECK(answer.is_closed);
        CHECK(client.is_closed_by_server());
    }
    CHECK(server.calls() == 0);
    // The same second request is fine on its own: the attacks failed for the right reason.
    CHECK(server.send_raw(second).status == 201);
}

TEST_CASE("S09: unsafe methods need a credential, and no header overrides the method") {
    TestServer server;
    for (const char* method :
         {"POST", "PUT", "PATCH", "DELETE", "PROPFIND", "X-FOO", "OPTIONS", "TRACE", "CONNECT"}) {
        for (const char* path :
             {"/api/v1/jobs", "/api/v1/jobs/1", "/api/v1/policy", "/api/v1/nothing", "/", "/livez"}) {
            const Answer answer = server.send(method, path, "");
            CAPTURE(method);
            CAPTURE(path);
            CHECK((answer.status == 401 || answer.status == 405));
        }
    }
    CHECK(server.send("PROPFIND", "/api/v1/jobs").status == 405);
    CHECK(server.send("DELETE", "/api/v1/jobs").field("allow") == "GET, HEAD, POST");
    server.on_loop([&] { server.daemon().add_job(JobState::kWaiting); });
    for (const char* field : {"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"}) {
        const std::string more = std::string(field) + ": DELETE\r\n";
        CHECK(server.send("GET", "/api/v1/jobs/1?_method=DELETE", kAdminToken, "", more).status == 400);
        CHECK(server.send("GET", "/api/v1/jobs/1", kAdminToken, "", more).status == 200);
        CHECK(server.send("POST", "/api/v1/jobs/1", kAdminToken, "", more).status == 405);
    }
    CHECK(server.calls() == 0);
}

TEST_CASE("S10: no preflight is ever allowed") {
    TestServer server;
    const std::string own = "http://127.0.0.1:" + std::to_string(server.port());
    for (const std::string& origin : {std::string("http://evil.test"), std::string("null"), own}) {
        for (const api::Route& route : api::routes()) {
            const std::string more = "Origin: " + origin + "\r\nAccess-Control-Request-Method: POST\r\n" +
                                     "Access-Control-Request-Headers: authorization, content-type\r\n";
            const Answer answer = server.send("OPTIONS", example_path(route.pattern), "", "", more);
            CAPTURE(origin);
            CAPTURE(route.pattern);
            CHECK(answer.status >= 400);
            CHECK(answer.head.find("ccess-") == std::string::npos);
        }
    }
    const Answer get = server.send("GET", "/api/v1/status", kAdminToken, "", "Origin: " + own + "\r\n");
    CHECK(get.status == 200);
    CHECK(get.head.find("ccess-") == std::string::npos);
}

TEST_CASE("S12: where a request comes from is told by Sec-Fetch-Site and Origin, never by User-Agent") {
    TestServer server;
    const std::string port = std::to_string(server.port());
    const auto status = [&](const char* method, const char* path, const std::string& more) {
        const bool is_post = std::string(method) == "POST";
        return server.send(method, path, kAdminToken, is_post ? kJob : "", "User-Agent: curl/8.0\r\n" + more)
            .status;
    };
    for (const char* site : {"cross-site", "same-site", "nonsense", ""}) {
        CAPTURE(site);
        CHECK(status("GET", "/api/v1/status", "Sec-Fetch-Site: " + std::string(site) + "\r\n") == 403);
        CHECK(status("POST", "/api/v1/jobs", "Sec-Fetch-Site: " + std::string(site) + "\r\n") == 403);
        CHECK(status("GET", "/", "Sec-Fetch-Site: " + std::string(site) + "\r\n") == 403);
    }
    for (const std::string& origin :
         {std::string("http://evil.test"), std::string("null"), std::string("http://127.0.0.1"),
          std::string("http://127.0.0.1:1"), "https://127.0.0.1:" + port, std::string("file://")}) {
        CAPTURE(origin);
        CHECK(status("POST", "/api/v1/jobs", "Origin: " + origin + "\r\n") == 403);
    }
    CHECK(status("GET", "/api/v1/status", "Sec-Fetch-Site: none\r\n") == 403);
    CHECK(status("GET", "/api/v1/status", "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site\r\n") ==
          403);
    CHECK(server.calls() == 0);
    // What the dashboard itself sends.
    CHECK(status("GET", "/", "Accept: text/html\r\nSec-Fetch-Site: none\r\n") == 200);
    CHECK(status("GET", "/api/v1/status", "Sec-Fetch-Site: same-origin\r\n") == 200);
    CHECK(status("POST", "/api/v1/jobs",
                 "Sec-Fetch-Site: same-origin\r\nOrigin: http://localhost:" + port + "\r\n") == 201);
}

TEST_CASE("S13: only a whole token in the Authorization header counts") {
    TestServer server;
    const std::string good = kAdminToken;
    CHECK(server.send("GET", "/api/v1/status", good).status == 200);
    const Answer none = server.send("GET", "/api/v1/status", "");
    CHECK(none.status == 401);
    CHECK(none.has_code("no_credential"));
    CHECK(none.field("www-authenticate").find("Bearer") == 0);
    CHECK(server.send("GET", "/api/v1/status", "wrong-token").has_code("bad_credential"));
    CHECK(server.send("GET", "/api/v1/status", good.substr(0, good.size() - 1)).status == 401);
    CHECK(server.send("GET", "/api/v1/status", good + "0").status == 401);
    CHECK(server.send("GET", "/api/v1/status?token=" + good, "").status == 401);
    CHECK(server.send("GET", "/api/v1/status?access_token=" + good, "").status == 401);
    CHECK(server.send("GET", "/api/v1/status", "", "", "Cookie: token=" + good + "\r\n").status == 401);
    CHECK(server.send("GET", "/api/v1/status", "", "", "Cookie: Authorization=Bearer " + good + "\r\n")
              .status == 401);
    CHECK(server.send("GET", "/api/v1/status", "", "", "Authorization: Basic " + good + "\r\n").status ==
          401);
    CHECK(server.send("GET", "/api/v1/status", "", "", "Authorization: " + good + "\r\n").status == 401);
    CHECK(server.send("GET", "/api/v1/status", good, "", "Authorization: Bearer other\r\n").status == 401);
    CHECK(server.send("GET", "/api/v1/status", "", "", "X-Forwarded-For: 127.0.0.1\r\n").status == 401);
}

TEST_CASE("S15: each role may do exactly what the table says") {
    TestServer server;
    const std::vector<std::pair<const char*, api::Role>> callers = {
        {"", api::Role::kNone}, {kViewerToken, api::Role::kViewer}, {kOperatorToken, api::Role::kOperator}};
    for (const api::Route& route : api::routes()) {
        for (const auto& [token, role] : callers) {
            if (role >= route.role) continue;
            const Answer answer =
                server.send(api::to_string(route.method), example_path(route.pattern), token);
            CAPTURE(route.pattern);
            CAPTURE(token);
            CHECK(answer.status == (role == api::Role::kNone ? 401 : 403));
            CHECK(answer.has_code(role == api::Role::kNone ? "no_credential" : "role_insufficient"));
        }
    }
    CHECK(server.calls() == 0);
}

TEST_CASE("S32: hostile JSON is 400 in bounded time") {
    TestServer server;
    const auto post = [&](const std::string& body) {
        return server.send("POST", "/api/v1/jobs", kAdminToken, body);
    };
    const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
    for (const std::string& body :
         {deep, std::string(100'000, '['), "{\"" + std::string(900'000, 'k') + "\":",
          std::string("{\"kind\":1e999}"), std::string(R"({"kind":"sleep","kind":"burn"})"),
          std::string(R"({"kind":"\ud800"})"), std::string(R"({"kind":"\udc00\ud800"})"),
          std::string("{\"kind\":\"\xff\"}"), std::string("{\"kind\":\"\xed\xa0\x80\"}"),
          std::string(R"({"kind":"sleep"} x)"), std::string("[1,2"), std::string("nul"),
          std::string("{'kind':'sleep'}"), std::string("{\"kind\":NaN}"), std::string(" ")}) {
        const Answer answer = post(body);
        CAPTURE(body.substr(0, 60));
        CHECK(answer.status == 400);
        CHECK(answer.has_code("bad_json"));
    }
    CHECK(post("{\"" + std::string(1'000'000, 'k') + "\":1,\"kind\":\"sleep\"}").status == 422);
    CHECK(post(std::string(1024 * 1024 + 1, ' ')).status == 413);
    CHECK(server.calls() == 0);
}

TEST_CASE("S33: a compressed body is refused, not inflated") {
    TestServer server;
    for (const char* encoding : {"gzip", "deflate", "br", "zstd", "identity", "gzip, gzip"}) {
        const Answer answer = server.send("POST", "/api/v1/jobs", kAdminToken, kJob,
                                          "Content-Encoding: " + std::string(encoding) + "\r\n");
        CAPTURE(encoding);
        CHECK(answer.status == 415);
        CHECK(answer.has_code("content_encoding_refused"));
        CHECK(answer.is_closed);
    }
    for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
                             "application/jsonx", ""}) {
        CAPTURE(type);
        CHECK(server
                  .send("POST", "/api/v1/jobs", kAdminToken, kJob,
                        "Content-Type: " + std::string(type) + "\r\n")
                  .status == 415);
    }
    CHECK(server.calls() == 0);
    CHECK(server
              .send("POST", "/api/v1/jobs", kAdminToken, kJob,
                    "Content-Type: Application/JSON; charset=utf-8\r\n")
              .status == 201);
}

}  // namespace nightshift::tests
