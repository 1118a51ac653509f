// Artifacts, pages and public answers, over a real socket.
#include "api/http_server.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "api/digest.h"
#include "tests/api/test_server.h"
#include "tests/support/scratch_folder.h"

namespace nightshift::tests {

namespace {

using nlohmann::json;

void write_file(const std::filesystem::path& path, const std::string& text) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
}

}  // namespace

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
    const json list = server.send("GET", "/api/v1/jobs/1/artifacts", kViewerToken).json()["artifacts"];
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
    CHECK(ticket.json()["expires_in"] == 60);
    const Answer shown = server.send("GET", ticket.json()["url"].get<std::string>(), "", "",
                                     "Sec-Fetch-Site: same-origin\r\n");
    CHECK(shown.status == 200);
    CHECK(shown.body == "<h1>x</h1>");
    CHECK(shown.field("content-security-policy") ==
          "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:");
    CHECK(shown.field("content-type").find("text/html") == 0);
    CHECK(shown.field("content-disposition") == "");
    server.on_loop([&] { server.daemon().time = server.daemon().time + seconds(61); });
    CHECK(server.send("GET", ticket.json()["url"].get<std::string>(), "").status == 404);
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
    CHECK(server.send("GET", "/api/v1/status", kViewerToken).json()["role"] == "viewer");
}

}  // namespace nightshift::tests
