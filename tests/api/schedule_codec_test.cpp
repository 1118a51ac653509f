#include "api/schedule_codec.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/api/fake_daemon.h"

using namespace nightshift;
using namespace nightshift::api;

namespace {

struct Desk {
    tests::FakeDaemon daemon;
    SubmitDefaults defaults;
    Desk() {
        defaults.kinds = &daemon.known_kinds;
        defaults.policy = &daemon.current_policy;
        defaults.zones = &daemon.fixed_zones;
        defaults.devices = daemon.devices();
        defaults.now = daemon.time;
    }
    Error bad(const char* text) {
        const auto schedule = parse_schedule_text(text, defaults);
        return schedule ? Error{} : schedule.error();
    }
};

}  // namespace

TEST_CASE("schedule codec: the documented form, with its next fire in its own zone") {
    Desk desk;
    const auto schedule = parse_schedule_text(
        R"({"name":"train-nightly","cron":"0 22 * * mon-fri","timezone":"Asia/Seoul","missed":"skip",
            "overlap":"replace","job":{"kind":"sleep"},"enabled":true})",
        desk.defaults);
    REQUIRE(schedule);
    CHECK(schedule->missed == MissedPolicy::kSkip);
    CHECK(schedule->overlap == OverlapPolicy::kReplace);
    CHECK(schedule->jobs_json == R"([{"kind":"sleep"}])");
    // It is Friday 2025-11-21 18:20 in Seoul.
    CHECK(schedule->next_fire_at == tests::utc(2025, 11, 21, 13, 0));
    const auto object = schedule_object(*schedule);
    CHECK(object["job"]["kind"] == "sleep");
    CHECK(object["next_fire_at"] == "2025-11-21T13:00:00.000Z");
}

TEST_CASE("schedule codec: a chain may refer to its own jobs, in any order") {
    Desk desk;
    CHECK(parse_schedule_text(R"({"name":"n","cron":"@daily","jobs":[{"kind":"sleep"},
        {"kind":"extract","params":{"dataset":"job:#0"}},{"kind":"sleep","after":["job:#1"]}]})",
                              desk.defaults));
    CHECK(parse_schedule_text(
        R"({"name":"n","cron":"@daily","jobs":[{"kind":"sleep","after":["#1"]},{"kind":"sleep"}]})",
        desk.defaults));
    CHECK(desk.bad(R"({"name":"n","cron":"@daily","jobs":[{"kind":"sleep","after":["#0"]}]})").reason ==
          "circular_dependency");
    CHECK(desk.bad(R"({"name":"n","cron":"@daily","jobs":[{"kind":"sleep","after":["#3"]}]})").reason ==
          "unknown_dependency");
    const Error error =
        desk.bad(R"({"name":"n","cron":"@daily","jobs":[{"kind":"sleep"},{"kind":"slepe"}]})");
    CHECK(error.pointer == "/jobs/1/kind");
    CHECK(error.hint == "Did you mean \"sleep\"?");
}

TEST_CASE("schedule codec: bad documents") {
    Desk desk;
    const std::string job = R"("job":{"kind":"sleep"})";
    const auto reason = [&](const std::string& fields) {
        return desk.bad(("{" + fields + "}").c_str()).reason;
    };
    CHECK(reason(R"("name":"n","cron":"61 * * * *",)" + job) != "");
    CHECK(reason(R"("name":"n","cron":"0 0 31 2 *",)" + job) == "never_fires");
    CHECK(reason(R"("name":"n","cron":"@daily","timezone":"Mars/Base",)" + job) == "unknown_timezone");
    CHECK(reason(R"("name":"n","cron":"@daily","missed":"twice",)" + job) == "bad_choice");
    CHECK(reason(R"("name":"a/b","cron":"@daily",)" + job) == "bad_name");
    CHECK(reason(R"("name":"..","cron":"@daily",)" + job) == "bad_name");
    CHECK(reason(R"("cron":"@daily",)" + job) == "missing_field");
    CHECK(reason(R"("name":"n",)" + job) == "missing_field");
    CHECK(reason(R"("name":"n","cron":"@daily")") == "missing_field");
    CHECK(reason(R"("name":"n","cron":"@daily","jobs":[],)" + job) == "missing_field");
    CHECK(reason(R"("name":"n","cron":"@daily","timzone":"UTC",)" + job) == "unknown_field");
    CHECK(desk.bad(R"({"name":"n","cron":"@daily","job":{"kind":"sleep","x":1}})").pointer == "/job/x");
}
