#include "daemon/cli/why_text.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace nightshift::cli {

using nlohmann::json;

TEST_CASE("why: the numbers of a VRAM gate stand below each other") {
    const json why = json::parse(R"({
        "job": 7, "state": "waiting", "head_of_class": true,
        "gates": [{"code": "vram", "since": null, "text": "needs 6.0 GiB, 2.5 GiB are free",
                   "detail": {"needed": 6442450944, "capacity": 8589934592,
                              "safety": 536870912, "foreign": 0,
                              "held": 5368709120, "headroom": 0, "available": 2684354560}}],
        "eta": {"p50": null, "p90": null, "basis": "no earlier run"},
        "would_start_if": [{"action": "job 5 yields", "effect": "starts at once",
                            "cost": "12 s of training"}]})");
    const std::string text = why_text(why);
    CHECK(text ==
          "job 7 is waiting; it waits because\n"
          "  * needs 6.0 GiB, 2.5 GiB are free  [vram]\n"
          "        capacity               8.0 GiB\n"
          "      - safety margin          512 MiB\n"
          "      - held by jobs           5.0 GiB\n"
          "      = available              2.5 GiB\n"
          "        needed                 6.0 GiB\n"
          "would start if: job 5 yields -> starts at once; 12 s of training\n");
}

TEST_CASE("why: nothing holds a running job back") {
    CHECK(why_text(json::parse(R"({"job": 7, "state": "running", "head_of_class": false, "gates": []})")) ==
          "job 7 is running; nothing holds it back\n");
}

TEST_CASE("why: fields of a newer daemon are ignored, missing ones left out") {
    const std::string text =
        why_text(json::parse(R"({"job": 7, "state": "waiting", "new": 1, "gates": [{"code": "x"}]})"));
    CHECK(text.find("[x]") != std::string::npos);
    CHECK(text.find("other jobs of its class") != std::string::npos);
}

}  // namespace nightshift::cli
