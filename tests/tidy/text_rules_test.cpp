#include <doctest/doctest.h>

#include <string>

#include "tests/tidy/rules.h"
#include "tests/tidy/tree.h"

namespace nightshift::tidy {

namespace {

bool fires(Rule rule, const std::string& path, const std::string& content) {
    return !rule(tree_of(path, content)).empty();
}

std::string repeated(const std::string& text, int count) {
    std::string all;
    for (int i = 0; i < count; ++i) all += text;
    return all;
}

}  // namespace

TEST_CASE("rule: file length") {
    CHECK(fires(files_stay_short, "db/store.cpp", repeated("x;\n", 601)));
    CHECK(fires(files_stay_short, "web/app.css", repeated("a {}\n", 601)));
    CHECK_FALSE(fires(files_stay_short, "db/store.cpp", repeated("x;\n", 600)));
    CHECK(fires(files_growing_long, "db/store.cpp", repeated("x;\n", 401)));
    CHECK_FALSE(fires(files_growing_long, "db/store.cpp", repeated("x;\n", 400)));
    CHECK_FALSE(fires(files_stay_short, "api/openapi.json", repeated("{}\n", 2000)));
}

TEST_CASE("rule: line length counts characters, not bytes") {
    CHECK(fires(lines_stay_short, "db/store.cpp", std::string(111, 'x') + "\n"));
    CHECK_FALSE(fires(lines_stay_short, "db/store.cpp", std::string(110, 'x') + "\n"));
    CHECK_FALSE(fires(lines_stay_short, "db/store.cpp", repeated("밤", 110) + "\n"));
    CHECK_FALSE(
        fires(lines_stay_short, "db/store.cpp", "// https://example.org/" + std::string(120, 'x') + "\n"));
}

TEST_CASE("rule: function length") {
    const std::string body = repeated("    x();\n", 121);
    CHECK(fires(functions_stay_short, "db/store.cpp", "void f() {\n" + body + "}\n"));
    CHECK_FALSE(fires(functions_stay_short, "db/store.cpp", "Row rows[] = {\n" + body + "};\n"));
    CHECK_FALSE(fires(functions_stay_short, "db/store.cpp", "namespace a {\n" + body + "}\n"));
    CHECK_FALSE(fires(functions_stay_short, "db/store.cpp", "void f() {\n    x();\n}\n" + body));
    const std::string deep = repeated("        x();\n", 121);
    CHECK(fires(functions_stay_short, "db/store.cpp", "class A {\n    void f() {\n" + deep + "    }\n};\n"));
    const std::string members = repeated("    void f() {\n        x();\n    }\n", 100);
    CHECK_FALSE(fires(functions_stay_short, "db/store.cpp", "class A {\n" + members + "};\n"));
    CHECK(fires(functions_growing_long, "db/store.cpp", "void f() {\n" + repeated("    x();\n", 71) + "}\n"));
}

TEST_CASE("rule: nothing left for later") {
    const std::string word = std::string("TO") + "DO";
    CHECK(fires(nothing_is_left_for_later, "db/store.cpp", "// " + word + ": later\n"));
    CHECK(fires(nothing_is_left_for_later, "db/README.md", word + "\n"));
    CHECK_FALSE(fires(nothing_is_left_for_later, "db/store.cpp", "int k" + word + "s = 0;\n"));
}

TEST_CASE("rule: platform switches") {
    CHECK(fires(platform_switches_only_in_twins, "db/store.cpp", "#ifdef _WIN32\n"));
    CHECK(fires(platform_switches_only_in_twins, "db/store.cpp", "#  if defined(__linux__)\n"));
    CHECK_FALSE(fires(platform_switches_only_in_twins, "db/file_win32.cpp", "#ifdef _WIN32\n"));
    CHECK_FALSE(fires(platform_switches_only_in_twins, "db/store.cpp", "// not on _WIN32\n"));
}

TEST_CASE("rule: pure scheduler") {
    CHECK(
        fires(scheduler_is_pure, "scheduler/planner.cpp", "auto now = std::chrono::system_clock::now();\n"));
    CHECK(fires(scheduler_is_pure, "scheduler/planner.cpp", "#include <thread>\n"));
    CHECK(fires(scheduler_is_pure, "scheduler/planner.cpp", "std::getenv(\"X\");\n"));
    CHECK_FALSE(fires(scheduler_is_pure, "scheduler/planner.cpp", "// never reads system_clock\n"));
    CHECK_FALSE(fires(scheduler_is_pure, "daemon/system_clock.cpp", "std::chrono::system_clock::now();\n"));
}

TEST_CASE("rule: processes") {
    const Rule rule = processes_start_in_named_files;
    CHECK(fires(rule, "daemon/loop.cpp", "    kill(pid, SIGKILL);\n"));
    CHECK(fires(rule, "daemon/loop.cpp", "    if (::kill(pid, 0) == 0) return true;\n"));
    CHECK(fires(rule, "daemon/loop.cpp", "    return ::waitpid(pid, &status, 0);\n"));
    CHECK(fires(rule, "daemon/loop.cpp", "    const int rc = posix_spawn(&pid, path);\n"));
    CHECK(fires(rule, "jobs/table/csv.cpp", "    std::system(\"ls\");\n"));
    CHECK_FALSE(fires(rule, "daemon/worker/process_posix.cpp", "    ::kill(pid, SIGKILL);\n"));
    CHECK_FALSE(fires(rule, "daemon/loop.cpp", "    process->kill(Signal::kHard);\n"));
    CHECK_FALSE(fires(rule, "daemon/worker/process.h", "    virtual void kill(Signal signal) = 0;\n"));
    CHECK_FALSE(fires(rule, "daemon/loop.cpp", "    // kill(pid) is not for us\n"));
}

TEST_CASE("rule: pragma once") {
    CHECK(fires(headers_have_pragma_once, "db/store.h", "#include <vector>\n"));
    CHECK_FALSE(fires(headers_have_pragma_once, "db/store.h", "#pragma once\n"));
}

TEST_CASE("rule: macros") {
    CHECK(fires(macros_are_few, "db/store.cpp", "#define MAX(a, b) a\n"));
    CHECK_FALSE(fires(macros_are_few, "db/store.cpp", "#define NIGHTSHIFT_TRY(x) x\n"));
    CHECK_FALSE(fires(macros_are_few, "tests/db/store_test.cpp", "#define X 1\n"));
}

TEST_CASE("rule: tests do not sleep") {
    CHECK(fires(tests_do_not_sleep, "tests/db/store_test.cpp", "std::this_thread::sleep_for(1s);\n"));
    CHECK(fires(tests_do_not_sleep, "tests/db/store_test.cpp", "    usleep(5);\n"));
    CHECK_FALSE(fires(tests_do_not_sleep, "tests/db/store_test.cpp", "submit(sleep_job());\n"));
    CHECK_FALSE(fires(tests_do_not_sleep, "tests/db/store_test.cpp", "expect(\"sleep(5)\");\n"));
}

TEST_CASE("rule: white space") {
    CHECK(fires(no_tabs_or_trailing_space, "db/store.cpp", "\tx;\n"));
    CHECK(fires(no_tabs_or_trailing_space, "db/store.cpp", "x; \n"));
    CHECK(fires(no_tabs_or_trailing_space, "db/store.cpp", "x;\r\n"));
    CHECK_FALSE(fires(no_tabs_or_trailing_space, "db/store.cpp", "    x;\n"));
}

TEST_CASE("code_of: strings and comments are not code") {
    CHECK(code_of("f(\"a // b\"); // c") == "f(\"\"); ");
    CHECK(code_of("f('\"'); g();") == "f(''); g();");
    CHECK(code_of("int x = 1'000'000; f();") == "int x = 1'000'000; f();");
}

}  // namespace nightshift::tidy
