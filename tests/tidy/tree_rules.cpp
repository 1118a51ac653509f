#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>

#include "tests/tidy/rules.h"

namespace nightshift::tidy {

namespace {

constexpr std::array<std::string_view, 9> kFolders = {"api",       "daemon",    "db",    "jobs", "kernels",
                                                      "packaging", "scheduler", "tests", "web"};

std::string join(const SourceFile& file) {
    std::string text;
    for (const std::string& line : file.lines) (text += line) += '\n';
    return text;
}

/// Whether a CMakeLists.txt of the file's folder or of one above it names the file.
bool is_named_by_cmake(const Tree& tree, std::string_view path) {
    std::string_view folder = folder_of(path);
    while (true) {
        const std::string list_path =
            folder.empty() ? "CMakeLists.txt" : std::string(folder) + "/CMakeLists.txt";
        const std::string_view rest = folder.empty() ? path : path.substr(folder.size() + 1);
        if (const SourceFile* list = tree.find(list_path)) {
            const std::string text = join(*list);
            for (std::size_t at = text.find(rest); at != std::string::npos; at = text.find(rest, at + 1)) {
                static constexpr std::string_view kEdges = " \t\n()\"/";
                const bool is_start = at == 0 || kEdges.find(text[at - 1]) != std::string_view::npos;
                const bool is_end = kEdges.find(text[at + rest.size()]) != std::string_view::npos;
                if (is_start && is_end) return true;
            }
        }
        if (folder.empty()) break;
        folder = folder_of(folder);
    }
    // What tests share is named by the programs that use it, as ../support/X.
    const std::string shared = "../" + std::string(path.substr(path.find('/') + 1));
    return std::any_of(tree.files.begin(), tree.files.end(), [&](const SourceFile& file) {
        return file.path.starts_with("tests/") && name_of(file.path) == "CMakeLists.txt" &&
               join(file).find(shared) != std::string::npos;
    });
}

/// What stands between single back quotes in a line.
std::vector<std::string> quoted_words(std::string_view line) {
    std::vector<std::string> words;
    std::size_t open = line.find('`');
    while (open != std::string_view::npos) {
        const std::size_t close = line.find('`', open + 1);
        if (close == std::string_view::npos) break;
        if (close > open + 1) words.emplace_back(line.substr(open + 1, close - open - 1));
        open = line.find('`', close + 1);
    }
    return words;
}

/// Targets of [text](target) in a line, without addresses and anchors.
std::vector<std::string> link_targets(std::string_view line) {
    std::vector<std::string> targets;
    for (std::size_t at = line.find("]("); at != std::string_view::npos; at = line.find("](", at + 2)) {
        const std::size_t close = line.find(')', at);
        if (close == std::string_view::npos) break;
        std::string target(line.substr(at + 2, close - at - 2));
        target = target.substr(0, target.find('#'));
        if (!target.empty() && target.find("://") == std::string::npos) targets.push_back(target);
    }
    return targets;
}

/// The path a quoted word of the README names: its first word, without a closing slash. Empty when the
/// word is no path of the repository or is a pattern with a placeholder.
std::string path_in(const Tree& tree, const std::string& word) {
    std::string path = word.substr(0, word.find(' '));
    if (path.starts_with("./")) path.erase(0, 2);
    while (path.ends_with("/")) path.pop_back();
    if (path.find('/') == std::string::npos && !tree.has(path)) return {};
    if (path.find_first_of("<>*{}$|") != std::string::npos) return {};
    const std::string_view top = top_of(path);
    const bool is_ours = std::find(kFolders.begin(), kFolders.end(), top) != kFolders.end() || top == ".ci" ||
                         top == ".github";
    return is_ours ? path : std::string();
}

std::string joined_path(std::string_view folder, const std::string& target) {
    std::string path(folder);
    std::string_view rest = target;
    while (rest.starts_with("../")) {
        path = std::string(folder_of(path));
        rest.remove_prefix(3);
    }
    if (!path.empty()) path += '/';
    path += rest;
    while (path.ends_with("/")) path.pop_back();
    return path;
}

}  // namespace

std::vector<Finding> file_names_say_something(const Tree& tree) {
    static const std::set<std::string, std::less<>> banned = {
        "util", "utils", "common", "helper", "helpers", "misc", "manager", "managers", "stuff"};
    std::vector<Finding> findings;
    for (const std::string& path : tree.paths) {
        if (path.starts_with("tests/data/")) continue;
        std::string part;
        for (const char c : std::string(name_of(path)) + ".") {
            if (c != '_' && c != '-' && c != '.') {
                part += c;
                continue;
            }
            if (banned.contains(part))
                findings.push_back({path, 0, "'" + part + "' names nothing: name the noun"});
            part.clear();
        }
    }
    return findings;
}

std::vector<Finding> every_source_is_built(const Tree& tree) {
    std::vector<Finding> findings;
    for (const std::string& path : tree.paths) {
        const std::string_view extension = extension_of(path);
        if ((extension != ".cpp" && extension != ".cu") || path.starts_with("tests/data/")) continue;
        if (!is_named_by_cmake(tree, path)) {
            findings.push_back({path, 0, "no CMakeLists.txt names it, so nobody builds it"});
        }
    }
    return findings;
}

std::vector<Finding> every_suite_is_listed(const Tree& tree) {
    const SourceFile* suites = tree.find("packaging/suites.txt");
    const std::string listed = suites == nullptr ? std::string() : join(*suites);
    std::vector<Finding> findings;
    for (const std::string& path : tree.paths) {
        const bool is_script_suite =
            path.starts_with("tests/") && (path.ends_with("_test.py") || path.ends_with("_test.mjs"));
        if (!is_script_suite || listed.find(path) != std::string::npos) continue;
        // Or its folder has one script that runs them all.
        const std::string folder(folder_of(path));
        const SourceFile* runner = tree.find(folder + "/run.mjs");
        const bool is_run = runner != nullptr && listed.find(runner->path) != std::string::npos &&
                            join(*runner).find("./" + std::string(name_of(path))) != std::string::npos;
        if (!is_run) {
            findings.push_back(
                {path, 0, "packaging/suites.txt does not name it, so packaging/check does not run it"});
        }
    }
    if (suites == nullptr) return findings;
    for (std::size_t i = 0; i < suites->lines.size(); ++i) {
        std::string word;
        for (const char c : suites->lines[i] + " ") {
            if (c != ' ' && c != '\t') {
                word += c;
                continue;
            }
            if (word.starts_with("tests/") && !tree.has(word)) {
                findings.push_back({suites->path, static_cast<int>(i) + 1, word + " does not exist"});
            }
            word.clear();
        }
    }
    return findings;
}

std::vector<Finding> every_folder_has_a_readme(const Tree& tree) {
    std::vector<Finding> findings;
    for (const std::string_view folder : kFolders) {
        if (!tree.has(folder)) continue;
        const std::string readme = std::string(folder) + "/README.md";
        if (!tree.has(readme))
            findings.push_back({readme, 0, "missing: what the folder promises, and where things are"});
    }
    return findings;
}

std::vector<Finding> readme_map_is_true(const Tree& tree) {
    std::vector<Finding> findings;
    const SourceFile* root = tree.find("README.md");
    if (root == nullptr) return {{"README.md", 0, "missing"}};
    std::set<std::string, std::less<>> named;
    for (std::size_t i = 0; i < root->lines.size(); ++i) {
        for (const std::string& word : quoted_words(root->lines[i])) {
            const std::string path = path_in(tree, word);
            if (path.empty()) continue;
            named.insert(std::string(top_of(path)));
            if (!tree.has(path))
                findings.push_back({root->path, static_cast<int>(i) + 1, path + " does not exist"});
        }
    }
    for (const std::string_view folder : kFolders) {
        if (tree.has(folder) && !named.contains(folder)) {
            findings.push_back({root->path, 0, "the map leaves out `" + std::string(folder) + "/`"});
        }
    }
    for (const SourceFile& file : tree.files) {
        if (extension_of(file.path) != ".md") continue;
        for (std::size_t i = 0; i < file.lines.size(); ++i) {
            for (const std::string& target : link_targets(file.lines[i])) {
                const std::string path = joined_path(folder_of(file.path), target);
                if (!path.empty() && !tree.has(path)) {
                    findings.push_back(
                        {file.path, static_cast<int>(i) + 1, "link to " + path + ", which does not exist"});
                }
            }
        }
    }
    return findings;
}

std::vector<Finding> twins_share_a_header(const Tree& tree) {
    std::vector<Finding> findings;
    for (const SourceFile& file : tree.files) {
        const std::string& path = file.path;
        if (extension_of(path) != ".cpp" || !is_platform_twin(path) || path.starts_with("tests/")) continue;
        const std::string own = path.substr(0, path.rfind('_')) + ".h";
        if (tree.has(own)) continue;
        // Or it fills in a part of a header of its folder that more than one file implements.
        const std::string start = "#include \"" + std::string(folder_of(path)) + "/";
        const bool has_header = std::any_of(file.lines.begin(), file.lines.end(),
                                            [&](const std::string& line) { return line.starts_with(start); });
        if (!has_header)
            findings.push_back({path, 0, "a platform twin stands behind a header such as " + own});
    }
    return findings;
}

}  // namespace nightshift::tidy
