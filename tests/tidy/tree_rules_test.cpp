#include <doctest/doctest.h>

#include <string>

#include "tests/tidy/rules.h"
#include "tests/tidy/tree.h"

namespace nightshift::tidy {

TEST_CASE("rule: file names") {
    CHECK(file_names_say_something(tree_of("db/util.cpp", "")).size() == 1);
    CHECK(file_names_say_something(tree_of("db/string_utils.h", "")).size() == 1);
    CHECK(file_names_say_something(tree_of("common/x.h", "")).size() == 1);
    CHECK(file_names_say_something(tree_of("jobs/job_manager.cpp", "")).size() == 1);
    CHECK(file_names_say_something(tree_of("db/utility_bill.cpp", "")).empty());
}

TEST_CASE("rule: every source is built") {
    Tree tree = tree_of("db/CMakeLists.txt", "add_library(nightshift_db store.cpp)\n");
    add_file(tree, "db/store.cpp", "");
    add_file(tree, "db/forgotten.cpp", "");
    add_file(tree, "db/tore.cpp", "");
    const std::vector<Finding> findings = every_source_is_built(tree);
    REQUIRE(findings.size() == 2);
    CHECK(findings[0].path == "db/forgotten.cpp");
    CHECK(findings[1].path == "db/tore.cpp");

    Tree nested =
        tree_of("daemon/CMakeLists.txt", "add_library(nightshift_daemon\n    worker/process.cpp)\n");
    add_file(nested, "daemon/worker/process.cpp", "");
    CHECK(every_source_is_built(nested).empty());
}

TEST_CASE("rule: every suite is listed") {
    Tree tree = tree_of("packaging/suites.txt",
                        "gate python3 tests/e2e/gate_test.py\nold python3 tests/e2e/old_test.py\n");
    add_file(tree, "tests/e2e/gate_test.py", "");
    add_file(tree, "tests/e2e/kill_test.py", "");
    const std::vector<Finding> findings = every_suite_is_listed(tree);
    REQUIRE(findings.size() == 2);
    CHECK(findings[0].path == "tests/e2e/kill_test.py");
    CHECK(findings[1].text == "tests/e2e/old_test.py does not exist");
}

TEST_CASE("rule: a listed runner runs the tests of its folder that it names") {
    Tree tree = tree_of("packaging/suites.txt", "web | x | 9 | node tests/web/run.mjs\n");
    add_file(tree, "tests/web/run.mjs", "await import(\"./pages_test.mjs\");\n");
    add_file(tree, "tests/web/pages_test.mjs", "");
    CHECK(every_suite_is_listed(tree).empty());
    add_file(tree, "tests/web/forgotten_test.mjs", "");
    CHECK(every_suite_is_listed(tree).size() == 1);
}

TEST_CASE("rule: a README per folder") {
    Tree tree = tree_of("db/store.h", "");
    CHECK(every_folder_has_a_readme(tree).size() == 1);
    add_file(tree, "db/README.md", "# db\n");
    CHECK(every_folder_has_a_readme(tree).empty());
}

TEST_CASE("rule: the map is true") {
    Tree tree =
        tree_of("README.md", "See `db/store.h` and `db/gone.h`, [more](db/also_gone.md).\n`packaging/run`\n");
    add_file(tree, "db/store.h", "");
    add_file(tree, "packaging/run", "");
    const std::vector<Finding> findings = readme_map_is_true(tree);
    REQUIRE(findings.size() == 2);
    CHECK(findings[0].text == "db/gone.h does not exist");
    CHECK(findings[1].text == "link to db/also_gone.md, which does not exist");

    add_file(tree, "web/index.html", "");
    CHECK(readme_map_is_true(tree).back().path == "README.md");
    CHECK(readme_map_is_true(tree).size() == 3);

    CHECK(readme_map_is_true(tree_of("db/store.h", "")).size() == 1);
}

TEST_CASE("rule: links are relative to their file") {
    Tree tree = tree_of("README.md", "`db/`\n");
    add_file(tree, "db/README.md", "[up](../README.md) [store](store.h) [web](https://example.org/x)\n");
    add_file(tree, "db/store.h", "");
    CHECK(readme_map_is_true(tree).empty());
    add_file(tree, "db/more.md", "[gone](../gone.md)\n");
    CHECK(readme_map_is_true(tree).size() == 1);
}

TEST_CASE("rule: twins share a header") {
    CHECK(twins_share_a_header(tree_of("daemon/paths_posix.cpp", "")).size() == 1);
    Tree tree = tree_of("daemon/paths_posix.cpp", "");
    add_file(tree, "daemon/paths.h", "");
    CHECK(twins_share_a_header(tree).empty());
}

}  // namespace nightshift::tidy
