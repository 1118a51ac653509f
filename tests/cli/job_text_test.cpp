#include "daemon/cli/job_text.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

namespace nightshift::cli {

using nlohmann::json;

TEST_CASE("job: progress in steps, phase, or nothing") {
    CHECK(progress_text(json::parse(R"({"state": "running", "progress": {"step": 12, "steps": 30}})")) ==
          "40 % 12/30");
    CHECK(progress_text(json::parse(
              R"({"state": "running", "progress": {"phase": "read", "step": 0, "steps": 0}})")) == "read");
    CHECK(progress_text(json::parse(R"({"state": "succeeded", "progress": {"step": 30, "steps": 30}})"))
              .empty());
    CHECK(progress_text(json::parse(R"({"state": "waiting", "progress": null})")).empty());
}

TEST_CASE("job: run time of an ended job is that of its attempts, not of the pauses between") {
    CHECK(run_text(json::parse(R"({"state": "succeeded", "started_at": "2026-11-21T00:00:00.000Z",
                                   "ended_at": "2026-11-21T01:00:00.000Z", "run_time": 35})")) == "35 s");
    CHECK(run_text(json::parse(R"({"state": "waiting", "started_at": null})")) == "-");
}

TEST_CASE("job: the reason is why it waits, or how it failed") {
    CHECK(reason_text(json::parse(
              R"({"state": "waiting", "waiting": {"code": "vram", "text": "needs room"}})")) == "needs room");
    CHECK(reason_text(json::parse(
              R"({"state": "failed", "outcome": {"code": "exit_code", "message": "exit code 3"}})")) ==
          "exit code 3");
    CHECK(reason_text(json::parse(R"({"state": "succeeded", "outcome": {"code": "ok", "message": "ok"}})"))
              .empty());
}

TEST_CASE("job: an unknown state is not over") {
    CHECK_FALSE(is_over(json::parse(R"({"state": "dreaming"})")));
    CHECK(is_over(json::parse(R"({"state": "expired"})")));
}

}  // namespace nightshift::cli
