#pragma once

#include <vector>

#include "tests/tidy/tree.h"

namespace nightshift::tidy {

/// A rule looks at the whole tree and says what breaks it. An empty answer means that it holds.
using Rule = std::vector<Finding> (*)(const Tree&);

// --- who may include whom (include_rules.cpp) ----------------------------------------------------
std::vector<Finding> folders_include_only_lower_layers(const Tree& tree);
std::vector<Finding> libraries_stay_in_their_folders(const Tree& tree);
std::vector<Finding> heavy_headers_stay_out_of_headers(const Tree& tree);
std::vector<Finding> platform_headers_only_in_twins(const Tree& tree);
std::vector<Finding> own_header_comes_first(const Tree& tree);

// --- what stands in a file (text_rules.cpp) ------------------------------------------------------
std::vector<Finding> files_stay_short(const Tree& tree);        ///< above 600 lines
std::vector<Finding> files_growing_long(const Tree& tree);      ///< above 400 lines: printed, not failed
std::vector<Finding> lines_stay_short(const Tree& tree);        ///< above 110 columns
std::vector<Finding> functions_stay_short(const Tree& tree);    ///< above 120 lines
std::vector<Finding> functions_growing_long(const Tree& tree);  ///< above 70 lines: printed, not failed
std::vector<Finding> nothing_is_left_for_later(const Tree& tree);
std::vector<Finding> platform_switches_only_in_twins(const Tree& tree);
std::vector<Finding> scheduler_is_pure(const Tree& tree);
std::vector<Finding> processes_start_in_named_files(const Tree& tree);
std::vector<Finding> headers_have_pragma_once(const Tree& tree);
std::vector<Finding> macros_are_few(const Tree& tree);
std::vector<Finding> tests_do_not_sleep(const Tree& tree);
std::vector<Finding> no_tabs_or_trailing_space(const Tree& tree);

// --- how the tree hangs together (tree_rules.cpp) ------------------------------------------------
std::vector<Finding> file_names_say_something(const Tree& tree);
std::vector<Finding> every_source_is_built(const Tree& tree);
std::vector<Finding> every_suite_is_listed(const Tree& tree);
std::vector<Finding> every_folder_has_a_readme(const Tree& tree);
std::vector<Finding> readme_map_is_true(const Tree& tree);
std::vector<Finding> twins_share_a_header(const Tree& tree);

}  // namespace nightshift::tidy
