#include <doctest/doctest.h>

#include <cstdlib>

#include "jobs/basic/command_child.h"
#include "jobs/runtime/job_impl.h"

using namespace nightshift::jobs;

TEST_CASE("spawn: the environment is merged, later words win, the daemon's own stay out") {
    ::setenv("NIGHTSHIFT_ATTEMPT_TOKEN", "secret", 1);
    ::setenv("NIGHTSHIFT_DATA", "/data", 1);
    ::setenv("SPAWN_TEST", "old", 1);
    const auto merged =
        merge_env({{"SPAWN_TEST", "new"}, {"NIGHTSHIFT_OUTPUT", "mine"}}, {{"NIGHTSHIFT_OUTPUT", "yours"}});
    const auto value_of = [&](const std::string& name) -> std::string {
        for (const auto& [key, value] : merged) {
            if (key == name) return value;
        }
        return "(none)";
    };
    CHECK(value_of("SPAWN_TEST") == "new");
    CHECK(value_of("NIGHTSHIFT_OUTPUT") == "yours");
    CHECK(value_of("NIGHTSHIFT_ATTEMPT_TOKEN") == "(none)");
    CHECK(value_of("NIGHTSHIFT_DATA") == "(none)");
    CHECK(value_of("PATH") != "(none)");
    ::unsetenv("NIGHTSHIFT_ATTEMPT_TOKEN");
    ::unsetenv("NIGHTSHIFT_DATA");
    ::unsetenv("SPAWN_TEST");
}

TEST_CASE("spawn: a NUL in an argument is refused instead of cut") {
    SpawnRequest request{{"/bin/true", std::string("a\0b", 3)}, "/", {}};
    CHECK_THROWS_WITH_AS(spawn_group(request), doctest::Contains("NUL"), JobError);
}

TEST_CASE("spawn: PATH comes from the job's own environment") {
    SpawnRequest request{{"true"}, "/", {{"PATH", "/no/such/folder"}}};
    CHECK_THROWS_WITH_AS(spawn_group(request), doctest::Contains("/no/such/folder"), JobError);
}
