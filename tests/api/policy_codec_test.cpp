#include "api/policy_codec.h"

#include <doctest/doctest.h>

#include "tests/support/fixed_zones.h"

using namespace nightshift;
using namespace nightshift::api;

namespace {

const char* const kExample = R"({ "vram": {"safety": "512MiB"},
  "windows": {"night":  {"timezone": "Asia/Seoul", "open": ["mon-fri 22:00-06:00", "sat-sun 00:00-24:00"]},
              "office": {"timezone": "Asia/Seoul", "open": ["mon-fri 08:00-19:00"]}},
  "classes": {"inference": {"headroom": [{"window": "office", "vram": "6GiB"}, {"vram": "4GiB"}]},
              "training":  {"window": "night", "vram_max": "12GiB", "gpus": [0]},
              "synthesis": {"only_when_idle": ["training"], "vram_max": "4GiB"}},
  "preemption": {"grace": "60s", "min_run": "5m", "max_per_day": 4},
  "limits": {"running": 8, "waiting": 1000000, "time_limit": "24h", "log": "4MiB", "processes": 100},
  "roots": ["/data"], "retention": {"jobs": "365d", "logs": "30d"} })";

Error bad(const char* text) {
    const tests::FixedZones zones;
    const auto policy = parse_policy_text(text, zones);
    if (policy) return {};
    CHECK(policy.error().message != "");
    return policy.error();
}

}  // namespace

TEST_CASE("policy codec: the documented example") {
    const tests::FixedZones zones;
    const auto policy = parse_policy_text(kExample, zones);
    REQUIRE(policy);
    CHECK(policy->safety == mebibytes(512));
    REQUIRE(policy->find_window("night") != nullptr);
    CHECK(policy->find_window("night")->rules.size() == 2);
    const ClassPolicy& inference = policy->of(JobClass::kInference);
    REQUIRE(inference.headroom.size() == 2);
    CHECK(inference.headroom[0].window == "office");
    CHECK(inference.headroom[1].vram == gibibytes(4));
    CHECK(policy->of(JobClass::kTraining).window == "night");
    CHECK(policy->of(JobClass::kTraining).gpus == std::vector<int>{0});
    CHECK(policy->of(JobClass::kSynthesis).only_when_idle == std::vector<JobClass>{JobClass::kTraining});
    CHECK(policy->preemption.min_run == minutes(5));
    CHECK(policy->limits.time_limit == hours(24));
    CHECK(policy->limits.log == mebibytes(4));
    CHECK(policy->limits.processes == 100);
    CHECK(policy->roots == std::vector<std::string>{"/data"});
    CHECK(policy->retain_logs == hours(24 * 30));
    CHECK(policy->retain_checkpoints == hours(24 * 30));
}

TEST_CASE("policy codec: an empty document is the default policy, and what is shown reads back the same") {
    const tests::FixedZones zones;
    const auto empty = parse_policy_text("{}", zones);
    REQUIRE(empty);
    CHECK(empty->preemption.grace == seconds(60));
    CHECK(empty->limits.running == 8);
    CHECK(empty->limits.log == mebibytes(256));
    CHECK(empty->limits.processes == 4096);
    for (const char* text : {"{}", kExample}) {
        const std::string shown = policy_to_json(*parse_policy_text(text, zones));
        const auto again = parse_policy_text(shown, zones);
        CAPTURE(shown);
        REQUIRE(again);
        CHECK(policy_to_json(*again) == shown);
    }
}

TEST_CASE("policy codec: typos are refused with their place and the nearest word") {
    Error error = bad(R"({"clases":{}})");
    CHECK(error.reason == "unknown_field");
    CHECK(error.pointer == "/clases");
    CHECK(error.hint == "Did you mean \"classes\"?");
    error = bad(R"({"classes":{"trainning":{}}})");
    CHECK(error.pointer == "/classes/trainning");
    CHECK(error.hint == "Did you mean \"training\"?");
    error = bad(R"({"classes":{"training":{"windw":"night"}}})");
    CHECK(error.pointer == "/classes/training/windw");
    error = bad(
        R"({"windows":{"night":{"open":["daily 22:00-06:00"]}},"classes":{"training":{"window":"nigth"}}})");
    CHECK(error.reason == "bad_window");
    CHECK(error.hint == "Did you mean \"night\"?");
    CHECK(bad(R"({"classes":{"synthesis":{"only_when_idle":["trainings"]}}})").hint ==
          "Did you mean \"training\"?");
    CHECK(bad(R"({"classes":{"inference":{"headroom":[{"window":"office","vram":"1GiB"}]}}})").reason ==
          "bad_window");
}

TEST_CASE("policy codec: values that make no sense") {
    CHECK(bad(R"({"windows":{"n":{"timezone":"Mars/Base","open":["daily 00:00-24:00"]}}})").reason ==
          "unknown_timezone");
    CHECK(bad(R"({"windows":{"n":{"open":["mon 25:00-26:00"]}}})").pointer == "/windows/n/open/0");
    CHECK(bad(R"({"windows":{"n":{"open":[]}}})").reason == "bad_window");
    CHECK(bad(R"({"windows":{"n":{"open":[7]}}})").reason == "bad_window");
    CHECK(bad(R"({"windows":{"n":{}}})").reason == "bad_window");
    CHECK(bad(R"({"vram":{"safety":"lots"}})").reason == "bad_size");
    CHECK(bad(R"({"classes":{"training":{"headroom":[]}}})").reason == "bad_headroom");
    CHECK(bad(R"({"classes":{"inference":{"headroom":[{}]}}})").reason == "missing_field");
    CHECK(bad(R"({"classes":{"training":{"gpus":["zero"]}}})").reason == "wrong_type");
    CHECK(bad(R"({"limits":{"running":0}})").reason == "out_of_range");
    CHECK(bad(R"({"limits":{"log":"1KiB"}})").pointer == "/limits/log");
    CHECK(bad(R"({"limits":{"processes":1}})").reason == "out_of_range");
    CHECK(bad(R"({"preemption":{"grace":"soon"}})").reason == "bad_duration");
    CHECK(bad(R"({"roots":["data"]})").reason == "wrong_type");
    CHECK(bad(R"([])").reason == "wrong_type");
    CHECK(bad(R"({"vram":3})").pointer == "/vram");
    CHECK(bad("{").reason == "bad_json");
}
