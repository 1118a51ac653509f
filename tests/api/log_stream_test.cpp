#include "api/log_stream.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "tests/api/test_server.h"
#include "tests/support/scratch_folder.h"

namespace nightshift::tests {
namespace {

/// A job with two attempts whose logs can be written.
struct Desk {
    ScratchFolder scratch;
    TestServer server;

    explicit Desk(JobState state) {
        server.on_loop([&] {
            server.daemon().folder = scratch.path().string();
            server.daemon().add_job(state).attempt = 2;
        });
    }
    void append(int attempt, const std::string& bytes) {
        const auto folder = scratch / ("jobs/1/" + std::to_string(attempt));
        std::filesystem::create_directories(folder);
        std::ofstream(folder / "stdout.log", std::ios::binary | std::ios::app) << bytes;
    }
    Answer get(const std::string& query) {
        return server.send("GET", "/api/v1/jobs/1/log" + query, kViewerToken);
    }
};

}  // namespace

TEST_CASE("log: raw bytes of all attempts in order, with offsets over their borders") {
    Desk desk(JobState::kSucceeded);
    desk.append(1, "one\n\xff" + std::string(1, '\0') + "two\r\n");
    desk.append(2, "three\nfour");
    const std::string all = "one\n\xff" + std::string(1, '\0') + "two\r\nthree\nfour";
    CHECK(desk.get("").body == all);
    CHECK(desk.get("").field("content-type").find("text/plain") == 0);
    for (std::size_t from : {0u, 3u, 4u, 11u, 12u, 20u, 21u, 50u}) {
        CAPTURE(from);
        CHECK(desk.get("?from=" + std::to_string(from)).body == all.substr(std::min(from, all.size())));
    }
    CHECK(desk.get("?attempt=2").body == "three\nfour");
    CHECK(desk.get("?attempt=2&from=6").body == "four");
    CHECK(desk.get("?attempt=3").status == 404);
    CHECK(desk.get("?attempt=0").status == 400);
    CHECK(desk.get("?tail=1&from=1").status == 400);
}

TEST_CASE("log: tail counts lines, over files, with or without a last line break") {
    Desk desk(JobState::kSucceeded);
    desk.append(1, "a\nb\nc\n");
    desk.append(2, "d\ne");
    CHECK(desk.get("?tail=1").body == "e");
    CHECK(desk.get("?tail=2").body == "d\ne");
    CHECK(desk.get("?tail=3").body == "c\nd\ne");
    CHECK(desk.get("?tail=3").field("x-log-offset") == "4");
    CHECK(desk.get("?tail=99").body == "a\nb\nc\nd\ne");
    CHECK(desk.get("?tail=0").body == "");
    CHECK(desk.get("?tail=2&attempt=1").body == "b\nc\n");
    desk.append(2, "\n");
    CHECK(desk.get("?tail=1").body == "e\n");
}

TEST_CASE("log: following goes on over attempts and ends with the job, nothing lost") {
    Desk desk(JobState::kRunning);
    desk.append(1, "first\n");
    desk.server.on_loop([&] { desk.server.daemon().jobs_by_id[1].attempt = 1; });
    RawClient client(desk.server.port());
    client.send(desk.server.request("GET", "/api/v1/jobs/1/log?follow=1", kViewerToken));
    client.read_until("first\n");
    desk.append(1, "second\n");
    client.read_until("second\n");
    desk.server.on_loop([&] {
        desk.server.daemon().jobs_by_id[1].attempt = 2;
        desk.server.daemon().publish("job", "started", JobId{1});
    });
    desk.append(2, "third\n");
    client.read_until("third\n");
    desk.append(2, "last");
    desk.server.on_loop([&] { desk.server.daemon().set_state(JobId{1}, JobState::kSucceeded); });
    const Answer answer = client.read_answer();
    CHECK(answer.body == "first\nsecond\nthird\nlast");
}

TEST_CASE("log: a job without output is an empty log, and a planted link is not followed") {
    Desk desk(JobState::kSucceeded);
    CHECK(desk.get("").status == 200);
    CHECK(desk.get("").body == "");
    std::filesystem::create_directories(desk.scratch / "jobs/1/1");
    std::filesystem::create_symlink("/etc/passwd", desk.scratch / "jobs/1/1/stdout.log");
    CHECK(desk.get("").body == "");
}

}  // namespace nightshift::tests
