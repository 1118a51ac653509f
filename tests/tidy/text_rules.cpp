#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <string>
#include <string_view>

#include "tests/tidy/rules.h"

namespace nightshift::tidy {

namespace {

constexpr std::size_t kFileLinesSoft = 400;
constexpr std::size_t kFileLinesHard = 600;
constexpr std::size_t kFunctionLinesSoft = 70;
constexpr std::size_t kFunctionLinesHard = 120;
constexpr std::size_t kColumnsMax = 110;

bool is_code(std::string_view path) {
    static const std::set<std::string_view> extensions = {".h",  ".cpp", ".cu",  ".cuh",  ".py",
                                                          ".js", ".mjs", ".sql", ".cmake"};
    return extensions.contains(extension_of(path)) || name_of(path) == "CMakeLists.txt" ||
           (path.starts_with("packaging/") && extension_of(path).empty());
}

/// Files whose length is that of a table somebody reads from top to bottom.
bool is_counted(std::string_view path) {
    return is_code(path) || extension_of(path) == ".css" || extension_of(path) == ".html";
}

bool is_identifier(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

std::size_t columns_of(std::string_view line) {
    // UTF-8 continuation bytes take no column.
    return static_cast<std::size_t>(std::count_if(
        line.begin(), line.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

bool is_product(std::string_view path) {
    static const std::set<std::string_view> folders = {"scheduler", "kernels", "db",    "web",
                                                       "api",       "jobs",    "daemon"};
    return folders.contains(top_of(path));
}

std::vector<Finding> files_longer_than(const Tree& tree, std::size_t limit) {
    std::vector<Finding> findings;
    for (const SourceFile& file : tree.files) {
        if (!is_counted(file.path) || file.lines.size() <= limit) continue;
        findings.push_back({file.path, 0, std::to_string(file.lines.size()) + " lines: split it by noun"});
    }
    return findings;
}

/// Functions at file level and members defined in their class, by clang-format's indents: from the line
/// with the brace to the closing brace below its first character.
std::vector<Finding> functions_longer_than(const Tree& tree, std::size_t limit) {
    static const std::array<std::string_view, 14> kNotFunctions = {
        "namespace", "struct", "class", "enum",   "union", "extern", "constexpr std::array",
        "if (",      "for (",  "while", "switch", "do {",  "try {",  "}"};
    std::vector<Finding> findings;
    for (const SourceFile& file : tree.files) {
        if (extension_of(file.path) != ".cpp" && extension_of(file.path) != ".cu") continue;
        std::size_t start = 0;
        std::size_t indent = std::string::npos;  // of the open function
        for (std::size_t i = 0; i < file.lines.size(); ++i) {
            const std::string_view line = file.lines[i];
            const std::size_t first = line.find_first_not_of(' ');
            if (first == std::string_view::npos) continue;
            const std::string_view text = line.substr(first);
            if (indent == std::string::npos) {
                const bool is_start =
                    (first == 0 || first == 4) && text.ends_with("{") && text.front() != '#' &&
                    std::none_of(kNotFunctions.begin(), kNotFunctions.end(),
                                 [&](std::string_view word) { return text.starts_with(word); });
                if (is_start) indent = first, start = i;
            } else if (first == indent && text.front() == '}') {
                indent = std::string::npos;
                // "};" ends a type or a table.
                if (!text.starts_with("};") && i - start > limit) {
                    findings.push_back({file.path, static_cast<int>(start) + 1,
                                        "function of " + std::to_string(i - start) + " lines"});
                }
            }
        }
    }
    return findings;
}

/// Applies `is_bad` to the code of each line of each file that `applies` accepts.
template <typename Applies, typename IsBad>
std::vector<Finding> bad_lines(const Tree& tree, Applies applies, IsBad is_bad, const std::string& text) {
    std::vector<Finding> findings;
    for (const SourceFile& file : tree.files) {
        if (!applies(file.path)) continue;
        for (std::size_t i = 0; i < file.lines.size(); ++i) {
            if (is_bad(file.lines[i])) findings.push_back({file.path, static_cast<int>(i) + 1, text});
        }
    }
    return findings;
}

/// Whether `code` calls the free function `name`, bare, as ::name or as std::name. Members and
/// declarations of ours may carry the same name.
bool calls(std::string_view code, std::string_view name) {
    const std::string call = std::string(name) + "(";
    for (std::size_t at = code.find(call); at != std::string_view::npos; at = code.find(call, at + 1)) {
        std::string_view before = code.substr(0, at);
        if (before.ends_with("std::")) return true;
        if (before.ends_with("::")) before.remove_suffix(2);
        if (before.empty()) return true;
        const char last = before.back();
        if (last == '.' || last == '>' || last == '~' || last == ':' || is_identifier(last)) continue;
        const std::size_t word_end = before.find_last_not_of(' ');
        if (word_end == std::string_view::npos) return true;
        before = before.substr(0, word_end + 1);
        if (!is_identifier(before.back()) ||
            has_word(before.substr(before.size() - std::min<std::size_t>(before.size(), 6)), "return")) {
            return true;
        }
    }
    return false;
}

}  // namespace

std::vector<Finding> files_stay_short(const Tree& tree) {
    return files_longer_than(tree, kFileLinesHard);
}
std::vector<Finding> files_growing_long(const Tree& tree) {
    return files_longer_than(tree, kFileLinesSoft);
}
std::vector<Finding> functions_stay_short(const Tree& tree) {
    return functions_longer_than(tree, kFunctionLinesHard);
}
std::vector<Finding> functions_growing_long(const Tree& tree) {
    return functions_longer_than(tree, kFunctionLinesSoft);
}

std::vector<Finding> lines_stay_short(const Tree& tree) {
    std::vector<Finding> findings;
    for (const SourceFile& file : tree.files) {
        if (!is_code(file.path)) continue;
        for (std::size_t i = 0; i < file.lines.size(); ++i) {
            const std::size_t columns = columns_of(file.lines[i]);
            if (columns <= kColumnsMax) continue;
            // An address cannot be broken.
            if (file.lines[i].find("https://") != std::string::npos) continue;
            findings.push_back({file.path, static_cast<int>(i) + 1, std::to_string(columns) + " columns"});
        }
    }
    return findings;
}

std::vector<Finding> nothing_is_left_for_later(const Tree& tree) {
    // Put together here so that this file does not break its own rule.
    static const std::array<std::string, 4> kWords = {std::string("TO") + "DO", std::string("FIX") + "ME",
                                                      std::string("XX") + "X", std::string("HA") + "CK"};
    return bad_lines(
        tree, [](std::string_view path) { return is_counted(path) || extension_of(path) == ".md"; },
        [](std::string_view line) {
            return std::any_of(kWords.begin(), kWords.end(),
                               [&](const std::string& word) { return has_word(line, word); });
        },
        "a note for later: do it, or write an issue");
}

std::vector<Finding> platform_switches_only_in_twins(const Tree& tree) {
    return bad_lines(
        tree,
        [](std::string_view path) { return is_cpp(path) && is_product(path) && !is_platform_twin(path); },
        [](std::string_view line) {
            const std::size_t first = line.find_first_not_of(" \t");
            if (first == std::string_view::npos || line[first] != '#') return false;
            return has_word(line, "_WIN32") || has_word(line, "__linux__") || has_word(line, "__unix__") ||
                   has_word(line, "_MSC_VER") || has_word(line, "__APPLE__");
        },
        "a platform switch: write a _posix.cpp and a _win32.cpp behind one header");
}

std::vector<Finding> scheduler_is_pure(const Tree& tree) {
    static const std::array<std::string_view, 14> kImpure = {
        "<thread>", "<mutex>",      "<fstream>",    "<filesystem>",  "<iostream>", "<atomic>",  "<random>",
        "<future>", "system_clock", "steady_clock", "random_device", "getenv",     "localtime", "gmtime"};
    return bad_lines(
        tree,
        // Crash points lie beside the vocabulary, for daemon and workers; no decision passes through them.
        [](std::string_view path) {
            return is_cpp(path) && path.starts_with("scheduler/") &&
                   !path.starts_with("scheduler/crash_point");
        },
        [](std::string_view line) {
            const std::string code = line.starts_with("#include") ? std::string(line) : code_of(line);
            return std::any_of(kImpure.begin(), kImpure.end(), [&](std::string_view word) {
                return word.front() == '<' ? code.find(word) != std::string::npos : has_word(code, word);
            });
        },
        "the scheduler reads no clock, disk or environment and starts no thread: take the value as an "
        "argument");
}

std::vector<Finding> processes_start_in_named_files(const Tree& tree) {
    // A process that a reader does not find in this list does not exist.
    static const std::set<std::string_view> kAllowed = {
        "daemon/worker/process_posix.cpp",       // workers, and signals to their groups
        "daemon/worker/family_posix.cpp",        // what a dead worker left behind
        "daemon/worker/identity_posix.cpp",      // whether anybody is left of a group
        "daemon/cli/launch_posix.cpp",           // nightshiftd by `up`, the browser by `open`
        "daemon/cli/torture_process_posix.cpp",  // kills of daemons of its own by `doctor --torture`
        "jobs/basic/command_child_posix.cpp",    // a user's command, as the worker's child
        "jobs/basic/command_posix.cpp",         "jobs/runtime/process_posix.cpp",
        "jobs/runtime/guard_posix.cpp",
    };
    static const std::array<std::string_view, 14> kCalls = {
        "fork",   "vfork",  "posix_spawn",       "posix_spawnp", "execv",
        "execve", "execvp", "execvpe",           "system",       "popen",
        "kill",   "killpg", "pidfd_send_signal", "waitpid"};
    return bad_lines(
        tree,
        [](std::string_view path) { return is_cpp(path) && is_product(path) && !kAllowed.contains(path); },
        [](std::string_view line) {
            const std::string code = code_of(line);
            return std::any_of(kCalls.begin(), kCalls.end(),
                               [&](std::string_view name) { return calls(code, name); });
        },
        "starts or signals a process: only the files named in tests/tidy/text_rules.cpp do that");
}

std::vector<Finding> headers_have_pragma_once(const Tree& tree) {
    std::vector<Finding> findings;
    for (const SourceFile& file : tree.files) {
        const std::string_view extension = extension_of(file.path);
        if (extension != ".h" && extension != ".cuh") continue;
        const bool has_it =
            std::find(file.lines.begin(), file.lines.end(), "#pragma once") != file.lines.end();
        if (!has_it) findings.push_back({file.path, 0, "no #pragma once"});
    }
    return findings;
}

std::vector<Finding> macros_are_few(const Tree& tree) {
    static const std::array<std::string_view, 6> kPrefixes = {"NIGHTSHIFT_", "DOCTEST_", "BOOST_",
                                                              "SPDLOG_",     "EIGEN_",   "CUDA_CHECK"};
    return bad_lines(
        tree, [](std::string_view path) { return is_cpp(path) && is_product(path); },
        [](std::string_view line) {
            if (!line.starts_with("#define ")) return false;
            const std::string_view name = line.substr(8);
            return std::none_of(kPrefixes.begin(), kPrefixes.end(),
                                [&](std::string_view prefix) { return name.starts_with(prefix); });
        },
        "a macro: a function or a constant does it");
}

std::vector<Finding> tests_do_not_sleep(const Tree& tree) {
    return bad_lines(
        tree, [](std::string_view path) { return path.starts_with("tests/") && path.ends_with("_test.cpp"); },
        [](std::string_view line) {
            const std::string code = code_of(line);
            return has_word(code, "sleep_for") || has_word(code, "sleep_until") || calls(code, "usleep") ||
                   calls(code, "sleep") || calls(code, "nanosleep");
        },
        "a test that sleeps: wait for the condition");
}

std::vector<Finding> no_tabs_or_trailing_space(const Tree& tree) {
    return bad_lines(
        tree, [](std::string_view path) { return is_code(path); },
        [](std::string_view line) {
            return line.find('\t') != std::string_view::npos || line.ends_with(' ') || line.ends_with('\r');
        },
        "a tab, a carriage return or a space at the end");
}

}  // namespace nightshift::tidy
