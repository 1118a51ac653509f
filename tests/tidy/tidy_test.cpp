#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "tests/tidy/rules.h"
#include "tests/tidy/tree.h"

namespace nightshift::tidy {

namespace {

const Tree& repository() {
    static const Tree tree = read_tree(NIGHTSHIFT_SOURCE_DIR);
    return tree;
}

std::string text_of(const std::vector<Finding>& findings) {
    std::string text;
    for (const Finding& finding : findings) {
        text += "\n" + finding.path + ":" + std::to_string(finding.line) + ": " + finding.text;
    }
    return text;
}

void check(Rule rule) {
    const std::vector<Finding> findings = rule(repository());
    CHECK_MESSAGE(findings.empty(), text_of(findings));
}

}  // namespace

TEST_CASE("tidy: the sources were found") {
    CHECK(repository().files.size() > 20);
    CHECK(repository().has("scheduler/job.h"));
}

TEST_CASE("tidy: folders include only lower layers") {
    check(folders_include_only_lower_layers);
}
TEST_CASE("tidy: libraries stay in their folders") {
    check(libraries_stay_in_their_folders);
}
TEST_CASE("tidy: heavy headers stay out of headers") {
    check(heavy_headers_stay_out_of_headers);
}
TEST_CASE("tidy: platform headers only in twins") {
    check(platform_headers_only_in_twins);
}
TEST_CASE("tidy: a source includes its own header first") {
    check(own_header_comes_first);
}
TEST_CASE("tidy: files stay below 600 lines") {
    check(files_stay_short);
}
TEST_CASE("tidy: lines stay within 110 columns") {
    check(lines_stay_short);
}
TEST_CASE("tidy: functions stay below 120 lines") {
    check(functions_stay_short);
}
TEST_CASE("tidy: nothing is left for later") {
    check(nothing_is_left_for_later);
}
TEST_CASE("tidy: platform switches only in twins") {
    check(platform_switches_only_in_twins);
}
TEST_CASE("tidy: the scheduler is pure") {
    check(scheduler_is_pure);
}
TEST_CASE("tidy: processes start in named files only") {
    check(processes_start_in_named_files);
}
TEST_CASE("tidy: headers have #pragma once") {
    check(headers_have_pragma_once);
}
TEST_CASE("tidy: macros are few") {
    check(macros_are_few);
}
TEST_CASE("tidy: tests do not sleep") {
    check(tests_do_not_sleep);
}
TEST_CASE("tidy: no tabs, no trailing space") {
    check(no_tabs_or_trailing_space);
}
TEST_CASE("tidy: file names say something") {
    check(file_names_say_something);
}
TEST_CASE("tidy: every source is built") {
    check(every_source_is_built);
}
TEST_CASE("tidy: every suite is listed") {
    check(every_suite_is_listed);
}
TEST_CASE("tidy: every folder has a README") {
    check(every_folder_has_a_readme);
}
TEST_CASE("tidy: the README's map is true") {
    check(readme_map_is_true);
}
TEST_CASE("tidy: platform twins stand behind one header") {
    check(twins_share_a_header);
}

TEST_CASE("tidy: what grows long is printed") {
    for (const Finding& finding : files_growing_long(repository())) {
        std::printf("long file: %s: %s\n", finding.path.c_str(), finding.text.c_str());
    }
    for (const Finding& finding : functions_growing_long(repository())) {
        std::printf("long function: %s:%d: %s\n", finding.path.c_str(), finding.line, finding.text.c_str());
    }
}

}  // namespace nightshift::tidy
