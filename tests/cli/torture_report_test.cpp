#include "daemon/cli/torture_report.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

namespace nightshift::cli {

TEST_CASE("torture report: percentiles are values that were measured") {
    CHECK(percentile({}, 0.5) == 0);
    CHECK(percentile({7}, 0.99) == 7);
    CHECK(percentile({4, 1, 3, 2}, 0.5) == 2);
    CHECK(percentile({4, 1, 3, 2}, 0.99) == 4);
}

TEST_CASE("torture report: one broken promise breaks the whole") {
    TortureReport report;
    report.held(Promise::kStored, 3);
    CHECK(report.is_whole());
    for (int n = 0; n < 20; ++n) report.broke(Promise::kStored, "job 7 is not there");
    CHECK_FALSE(report.is_whole());
    const nlohmann::json object = report.object();
    CHECK_FALSE(object["ok"].get<bool>());
    CHECK(object["promises"][0]["name"] == "stored");
    CHECK(object["promises"][0]["checked"] == 23);
    CHECK(object["promises"][0]["broken"] == 20);
    CHECK(object["promises"][0]["examples"].size() == 5);
    CHECK(report.text().find("broken: what was acknowledged is stored, once: job 7") != std::string::npos);
}

TEST_CASE("torture report: what was skipped is said, with its reason") {
    TortureReport report;
    report.skipped("full disk", "no prlimit here");
    report.measured("restart -> ready", 12.5);
    CHECK(report.is_whole());
    CHECK(report.object()["skipped"]["full disk"] == "no prlimit here");
    CHECK(report.object()["figures"]["restart -> ready"]["p50_ms"] == 12.5);
    CHECK(report.text().find("skipped  full disk: no prlimit here") != std::string::npos);
}

}  // namespace nightshift::cli
