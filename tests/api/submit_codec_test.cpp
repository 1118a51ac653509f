#include "api/submit_codec.h"

#include <doctest/doctest.h>

#include <filesystem>

#include <nlohmann/json.hpp>

#include "tests/api/fake_daemon.h"
#include "tests/support/scratch_folder.h"

using namespace nightshift;
using namespace nightshift::api;
using nlohmann::json;

namespace {

/// A fake daemon and what submits are checked with there.
struct Desk {
    tests::FakeDaemon daemon;
    SubmitDefaults defaults;

    Desk() {
        Window night;
        night.name = "night";
        night.rules = {{0x7f, 22 * 60, 6 * 60}};
        daemon.current_policy.windows.push_back(night);
        daemon.current_policy.of(JobClass::kTraining).vram_max = gibibytes(6);
        refresh();
    }
    void refresh() {
        defaults.kinds = &daemon.known_kinds;
        defaults.policy = &daemon.current_policy;
        defaults.zones = &daemon.fixed_zones;
        defaults.devices = daemon.devices();
        defaults.now = daemon.time;
        defaults.job_exists = [](JobId id) { return id.value <= 10; };
    }
    JobSpec good(const json& submit, std::span<const JobId> chain = {}) {
        auto spec = parse_submit(submit, defaults, chain);
        if (!spec) FAIL(spec.error().reason << ": " << spec.error().message);
        return *spec;
    }
    Error bad(const json& submit, std::span<const JobId> chain = {}) {
        auto spec = parse_submit(submit, defaults, chain);
        if (spec) return {};
        CHECK(spec.error().code == ErrorCode::kInvalidArgument);
        CHECK(spec.error().message != "");
        return spec.error();
    }
};

}  // namespace

TEST_CASE("submit codec: a minimal submit gets every default of its kind") {
    Desk desk;
    const JobSpec spec = desk.good({{"kind", "extract"}, {"params", {{"dataset", "job:3"}}}});
    CHECK(spec.name == "extract");
    CHECK(spec.job_class == JobClass::kTraining);
    CHECK(spec.vram == gibibytes(1));
    CHECK(spec.cpu == 1);
    CHECK(spec.checkpoint == CheckpointMode::kWorker);
    CHECK(spec.preemptible);
    REQUIRE(spec.after.size() == 1);
    CHECK(spec.after[0].on == JobId{3});
    CHECK(spec.after[0].kind == DependencyKind::kSuccess);
    CHECK(spec.params_json == R"({"dataset":"job:3"})");
    CHECK_FALSE(spec.time_limit);
}

TEST_CASE("submit codec: commands, inference and estimates") {
    Desk desk;
    const JobSpec command = desk.good({{"kind", "command"},
                                       {"command", json::array({"python3", "a b.py"})},
                                       {"cwd", "/tmp"},
                                       {"env", {{"A", "1"}}},
                                       {"vram", "3GiB"}});
    CHECK(command.command == std::vector<std::string>{"python3", "a b.py"});
    CHECK(command.checkpoint == CheckpointMode::kNone);
    CHECK_FALSE(command.preemptible);
    CHECK(command.vram == gibibytes(3));
    CHECK(desk.good({{"kind", "command"}, {"command", json::array({"a"})}, {"checkpoint", "signal"}})
              .preemptible);
    CHECK(
        desk.good({{"kind", "command"}, {"command", json::array({"a"})}, {"preemptible", true}}).preemptible);
    CHECK_FALSE(desk.good({{"kind", "score"}}).preemptible);
    CHECK(desk.good({{"kind", "sleep"}}).estimate == seconds(1));
    CHECK(desk.good({{"kind", "sleep"}, {"params", {{"seconds", 2.5}}}}).estimate == Millis{2500});
    CHECK(desk.good({{"kind", "sleep"}, {"vram", 123}}).vram == Bytes{123});
    CHECK(desk.good({{"kind", "sleep"}, {"vram", nullptr}, {"window", nullptr}}).window == "");
}

TEST_CASE("submit codec: unknown names are refused with the nearest known one") {
    Desk desk;
    Error error = desk.bad({{"kind", "sleep"}, {"priorty", 3}});
    CHECK(error.reason == "unknown_field");
    CHECK(error.pointer == "/priorty");
    CHECK(error.hint == "Did you mean \"priority\"?");
    error = desk.bad({{"kind", "slep"}});
    CHECK(error.reason == "unknown_kind");
    CHECK(error.hint == "Did you mean \"sleep\"?");
    error = desk.bad({{"kind", "sleep"}, {"class", "traning"}});
    CHECK(error.reason == "unknown_class");
    CHECK(error.hint == "Did you mean \"training\"?");
    error = desk.bad({{"kind", "sleep"}, {"params", {{"secnods", 3}}}});
    CHECK(error.reason == "unknown_param");
    CHECK(error.pointer == "/params/secnods");
    CHECK(error.hint == "Did you mean \"seconds\"?");
    error = desk.bad({{"kind", "sleep"}, {"window", "nihgt"}});
    CHECK(error.reason == "bad_window");
    CHECK(error.hint == "Did you mean \"night\"?");
    error = desk.bad({{"kind", "extract"}, {"params", {{"dataset", "job:1"}, {"set", "compat57"}}}});
    CHECK(error.reason == "bad_param");
    CHECK(error.hint == "Did you mean \"compat75\"?");
    CHECK(desk.bad({{"name", "x"}}).reason == "missing_field");
    CHECK(desk.bad({{"kind", "extract"}}).reason == "missing_param");
    CHECK(desk.bad(json::array()).reason == "wrong_type");
}

TEST_CASE("submit codec: a command is a list, and belongs to its kind") {
    Desk desk;
    Error error = desk.bad({{"kind", "command"}, {"command", "python train.py"}});
    CHECK(error.reason == "command_not_a_list");
    CHECK(error.pointer == "/command");
    CHECK(error.hint.find('[') != std::string::npos);
    CHECK(desk.bad({{"kind", "command"}, {"command", json::array()}}).reason == "command_not_a_list");
    CHECK(desk.bad({{"kind", "command"}, {"command", json::array({"a", 1})}}).reason == "command_not_a_list");
    CHECK(desk.bad({{"kind", "command"}, {"command", json::array({std::string("a\0b", 3)})}}).reason ==
          "command_not_a_list");
    CHECK(desk.bad({{"kind", "command"}}).reason == "missing_field");
    CHECK(desk.bad({{"kind", "sleep"}, {"command", json::array({"a"})}}).reason == "not_for_this_kind");
    CHECK(desk.bad({{"kind", "sleep"}, {"env", {{"A", "1"}}}}).reason == "not_for_this_kind");
    CHECK(
        desk.bad(
                {{"kind", "command"}, {"command", json::array({"a"})}, {"env", {{"NIGHTSHIFT_JOB_ID", "1"}}}})
            .reason == "reserved_env");
    CHECK(desk.bad({{"kind", "command"}, {"command", json::array({"a"})}, {"env", {{"A", 1}}}}).reason ==
          "wrong_type");
    CHECK(desk.bad({{"kind", "command"}, {"command", json::array({"a"})}, {"checkpoint", "worker"}}).reason ==
          "bad_choice");
    CHECK(desk.bad({{"kind", "command"}, {"command", json::array({"a"})}, {"cwd", "relative"}}).reason ==
          "relative_path");
    CHECK(
        desk.bad({{"kind", "command"}, {"command", json::array({"a"})}, {"cwd", "/no/such/folder"}}).reason ==
        "no_such_path");
}

TEST_CASE("submit codec: budgets that can never fit are refused at once") {
    Desk desk;
    Error error = desk.bad({{"kind", "sleep"}, {"vram", "8GiB"}});
    CHECK(error.reason == "vram_impossible");
    CHECK(error.pointer == "/vram");
    CHECK(error.message.find("7.5 GiB") != std::string::npos);
    CHECK(desk.good({{"kind", "sleep"}, {"vram", "7.5GiB"}}).vram == mebibytes(7680));
    CHECK(desk.bad({{"kind", "command"}, {"command", json::array({"a"})}, {"vram", "7GiB"}}).reason ==
          "vram_over_budget");
    CHECK(desk.bad({{"kind", "sleep"}, {"gpu", 4}}).reason == "unknown_gpu");
    CHECK(desk.good({{"kind", "sleep"}, {"gpu", 0}}).gpu == "GPU-fake-0");
    CHECK(desk.good({{"kind", "sleep"}, {"gpu", "GPU-fake-0"}}).gpu == "GPU-fake-0");
    for (const json& size :
         {json(-1), json("3 pounds"), json(1.5), json(true), json("99999PB"), json(1e30)}) {
        CAPTURE(size.dump());
        CHECK(desk.bad({{"kind", "sleep"}, {"vram", size}}).reason == "bad_size");
    }
    desk.defaults.devices.clear();
    CHECK(desk.good({{"kind", "sleep"}, {"vram", "80GiB"}}).vram == gibibytes(80));
}

TEST_CASE("submit codec: times and limits") {
    Desk desk;
    const JobSpec spec = desk.good({{"kind", "sleep"},
                                    {"not_before", "22:00"},
                                    {"start_deadline", "2030-01-01T00:00:00+09:00"},
                                    {"time_limit", "1h30m"}});
    CHECK(spec.not_before == tests::utc(2025, 11, 21, 22, 0));
    CHECK(spec.start_deadline == tests::utc(2029, 12, 31, 15, 0));
    CHECK(spec.time_limit == minutes(90));
    CHECK(desk.good({{"kind", "sleep"}, {"time_limit", 90}}).time_limit == seconds(90));
    CHECK(desk.bad({{"kind", "sleep"}, {"not_before", "25:00"}}).reason == "bad_time");
    CHECK(desk.bad({{"kind", "sleep"}, {"start_deadline", "2020-01-01T00:00:00Z"}}).reason == "bad_time");
    CHECK(desk.bad({{"kind", "sleep"}, {"not_before", "23:00"}, {"start_deadline", "22:00"}}).reason ==
          "bad_time");
    CHECK(desk.bad({{"kind", "sleep"}, {"time_limit", "fast"}}).reason == "bad_duration");
    CHECK(desk.bad({{"kind", "sleep"}, {"time_limit", 0}}).reason == "bad_duration");
    desk.daemon.current_policy.limits.time_limit = hours(24);
    CHECK(desk.good({{"kind", "sleep"}}).time_limit == hours(24));
    CHECK_FALSE(desk.good({{"kind", "score"}}).time_limit);
    desk.daemon.current_policy.of(JobClass::kSynthesis).time_limit = hours(2);
    CHECK(desk.good({{"kind", "sleep"}}).time_limit == hours(2));
    CHECK(desk.bad({{"kind", "sleep"}, {"time_limit", "25h"}}).reason == "time_limit_too_long");
}

TEST_CASE("submit codec: dependencies in all their forms") {
    Desk desk;
    const JobSpec spec = desk.good(
        {{"kind", "sleep"}, {"after", json::array({1, "job:2", json{{"job", 3}, {"on", "any"}}, 1})}});
    REQUIRE(spec.after.size() == 3);
    CHECK(spec.after[1].on == JobId{2});
    CHECK(spec.after[2].kind == DependencyKind::kAny);
    Error error = desk.bad({{"kind", "sleep"}, {"after", json::array({99})}});
    CHECK(error.reason == "unknown_dependency");
    CHECK(error.pointer == "/after/0");
    CHECK(desk.bad({{"kind", "sleep"}, {"after", json::array({0})}}).reason == "unknown_dependency");
    CHECK(desk.bad({{"kind", "sleep"}, {"after", json::array({"x"})}}).reason == "unknown_dependency");
    CHECK(desk.bad({{"kind", "sleep"}, {"after", 3}}).reason == "wrong_type");
    CHECK(desk.bad({{"kind", "sleep"}, {"after", json::array({json{{"job", 1}, {"on", "sucess"}}})}}).hint ==
          "Did you mean \"success\"?");
    CHECK(desk.bad({{"kind", "extract"}, {"params", {{"dataset", "job:99"}}}}).reason ==
          "unknown_dependency");
    CHECK(desk.bad({{"kind", "extract"}, {"params", {{"dataset", "job:x"}}}}).reason == "unknown_dependency");
    const JobSpec models = desk.good(
        {{"kind", "train.ensemble"}, {"params", {{"models", json::array({"job:1", "job:2", "job:1"})}}}});
    CHECK(models.after.size() == 2);
    const auto either = [&](const json& model) {
        return json{{"kind", "either"}, {"params", {{"models", model}}}};
    };
    CHECK(desk.good(either("job:4")).after.size() == 1);
    CHECK(desk.good(either(json::array({"job:4", "job:5"}))).after.size() == 2);
    CHECK(desk.bad(either("/no/such/model")).reason == "no_such_path");
    CHECK(desk.bad(either(json::array({"job:4", "job:99"}))).pointer == "/params/models/1");
    CHECK(desk.bad(either(7)).message.find("string or array") != std::string::npos);
}

TEST_CASE("submit codec: job:#n is the n-th of the list") {
    Desk desk;
    const std::vector<JobId> chain{{7}, {8}, {0}};
    const JobSpec spec = desk.good(
        {{"kind", "extract"}, {"params", {{"dataset", "job:#1"}}}, {"after", json::array({"#0"})}}, chain);
    CHECK(spec.params_json == R"({"dataset":"job:8"})");
    REQUIRE(spec.after.size() == 2);
    CHECK(spec.after[0].on == JobId{7});
    CHECK(spec.after[1].on == JobId{8});
    CHECK(desk.bad({{"kind", "extract"}, {"params", {{"dataset", "job:#2"}}}}, chain).reason ==
          "unknown_dependency");
    CHECK(desk.bad({{"kind", "extract"}, {"params", {{"dataset", "job:#3"}}}}, chain).pointer ==
          "/params/dataset");
    CHECK(desk.bad({{"kind", "sleep"}, {"after", json::array({"job:#0"})}}).reason == "unknown_dependency");
}

TEST_CASE("submit codec: a chain is put into an order in which every reference is known") {
    const auto chain =
        parse_chain(R"([{"after":["#1"]},{"kind":"a"},{"params":{"models":["job:#0","job:#1"]}}])");
    REQUIRE(chain);
    CHECK(chain->order == std::vector<std::size_t>{1, 0, 2});
    CHECK(parse_chain(R"([{"after":["#1"]},{"after":["#0"]}])").error().reason == "circular_dependency");
    CHECK(parse_chain(R"([{"after":["#0"]}])").error().reason == "circular_dependency");
    CHECK(parse_chain(R"([{"after":["#1"]}])").error().reason == "unknown_dependency");
    CHECK(parse_chain("[]").error().reason == "wrong_type");
    CHECK(parse_chain("{}").error().reason == "wrong_type");
    CHECK(parse_chain("[").error().reason == "bad_json");
}

TEST_CASE("submit codec: paths of inputs have to be full, allowed and there") {
    Desk desk;
    tests::ScratchFolder scratch;
    const std::string there = (scratch / "데이터 셋").string();
    std::filesystem::create_directory(there);
    const auto submit = [](const std::string& path) {
        return json{{"kind", "extract"}, {"params", {{"dataset", path}}}};
    };
    CHECK(desk.good(submit(there)).params_json.find("데이터 셋") != std::string::npos);
    Error error = desk.bad(submit(there + "/none"));
    CHECK(error.reason == "no_such_path");
    CHECK(error.pointer == "/params/dataset");
    CHECK(desk.bad(submit("some/where")).reason == "relative_path");
    desk.defaults.check_paths = false;
    CHECK(desk.good(submit(there + "/none")).kind == "extract");
    desk.defaults.check_paths = true;
    desk.daemon.current_policy.roots = {scratch.path().string()};
    CHECK(desk.good(submit(there)).kind == "extract");
    CHECK(desk.bad(submit("/etc")).reason == "outside_roots");
    CHECK(desk.bad(submit(there + "/../../../etc")).reason == "outside_roots");
    CHECK(desk.bad(submit(scratch.path().string() + "x")).reason == "outside_roots");
    std::filesystem::create_directory_symlink("/etc", scratch / "link");
    CHECK(desk.bad(submit((scratch / "link").string())).reason == "outside_roots");
}

TEST_CASE("submit codec: every error of a submit is collected") {
    Desk desk;
    std::vector<Error> all;
    const auto spec =
        parse_submit_text(R"({"kind":"sleep","priority":101,"retries":-1,"colour":"red","labels":{"a":1}})",
                          desk.defaults, {}, &all);
    CHECK_FALSE(spec);
    REQUIRE(all.size() == 4);
    CHECK(all[0].pointer == "/priority");
    CHECK(all[3].pointer == "/colour");
    static_cast<void>(parse_submit_text("{", desk.defaults, {}, &all));
    REQUIRE(all.size() == 1);
    CHECK(all[0].reason == "bad_json");
}

TEST_CASE("submit codec: submit_of gives the same spec again") {
    Desk desk;
    const JobSpec spec = desk.good({{"kind", "command"},
                                    {"command", json::array({"a", "b"})},
                                    {"cwd", "/tmp"},
                                    {"env", {{"A", "1"}}},
                                    {"vram", "1GiB"},
                                    {"priority", -3},
                                    {"window", "night"},
                                    {"not_before", "22:00"},
                                    {"time_limit", "1500ms"},
                                    {"after", json::array({json{{"job", 2}, {"on", "failure"}}})},
                                    {"retries", 2},
                                    {"checkpoint", "signal"},
                                    {"labels", {{"team", "비전"}}},
                                    {"name", "밤 작업"}});
    const JobSpec again = desk.good(submit_of(spec));
    CHECK(submit_of(again) == submit_of(spec));
    CHECK(again.time_limit == Millis{1500});
    CHECK(again.after[0].kind == DependencyKind::kFailure);
    CHECK(again.labels == spec.labels);
}
