#include "tests/tidy/tree.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace nightshift::tidy {

namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 7> kNotOurs = {".git",   ".deps", "build",      "node_modules",
                                                      ".cache", ".venv", "__pycache__"};
constexpr std::array<std::string_view, 18> kTextExtensions = {
    ".h",   ".cpp", ".cu",   ".cuh",  ".cmake", ".txt", ".md",  ".py",  ".js",
    ".mjs", ".css", ".html", ".json", ".sql",   ".in",  ".yml", ".svg", ".lock"};

bool is_text(std::string_view path) {
    const std::string_view extension = extension_of(path);
    if (extension.empty()) return true;  // scripts and dot files
    return std::find(kTextExtensions.begin(), kTextExtensions.end(), extension) != kTextExtensions.end();
}

std::vector<std::string> split_lines(std::string_view content) {
    std::vector<std::string> lines;
    while (!content.empty()) {
        const std::size_t end = content.find('\n');
        lines.emplace_back(content.substr(0, end));
        if (end == std::string_view::npos) break;
        content.remove_prefix(end + 1);
    }
    return lines;
}

std::string read_file(const fs::path& path) {
    std::ifstream stream(path, std::ios::binary);
    std::ostringstream content;
    content << stream.rdbuf();
    return std::move(content).str();
}

bool is_identifier(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

}  // namespace

bool Tree::has(std::string_view path) const {
    return std::binary_search(paths.begin(), paths.end(), path);
}

const SourceFile* Tree::find(std::string_view path) const {
    for (const SourceFile& file : files) {
        if (file.path == path) return &file;
    }
    return nullptr;
}

Tree read_tree(const std::string& root) {
    Tree tree;
    fs::recursive_directory_iterator walk(root), end;
    for (; walk != end; ++walk) {
        const std::string name = walk->path().filename().string();
        if (std::find(kNotOurs.begin(), kNotOurs.end(), name) != kNotOurs.end()) {
            if (walk->is_directory()) walk.disable_recursion_pending();
            continue;
        }
        const std::string path = walk->path().lexically_relative(root).generic_string();
        tree.paths.push_back(path);
        // Data for tests is whatever it is; only its presence counts.
        if (path.starts_with("tests/data/") || !walk->is_regular_file() || !is_text(path)) continue;
        tree.files.push_back({path, split_lines(read_file(walk->path()))});
    }
    std::sort(tree.paths.begin(), tree.paths.end());
    std::sort(tree.files.begin(), tree.files.end(),
              [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
    return tree;
}

void add_file(Tree& tree, std::string path, std::string_view content) {
    for (std::size_t at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1)) {
        const std::string folder = path.substr(0, at);
        if (std::find(tree.paths.begin(), tree.paths.end(), folder) == tree.paths.end()) {
            tree.paths.push_back(folder);
        }
    }
    tree.paths.push_back(path);
    std::sort(tree.paths.begin(), tree.paths.end());
    tree.files.push_back({std::move(path), split_lines(content)});
}

Tree tree_of(std::string path, std::string_view content) {
    Tree tree;
    add_file(tree, std::move(path), content);
    return tree;
}

std::string_view folder_of(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

std::string_view top_of(std::string_view path) {
    return path.substr(0, path.find('/'));
}

std::string_view name_of(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view stem_of(std::string_view path) {
    const std::string_view name = name_of(path);
    return name.substr(0, name.rfind('.'));
}

std::string_view extension_of(std::string_view path) {
    const std::string_view name = name_of(path);
    const std::size_t dot = name.rfind('.');
    return dot == std::string_view::npos || dot == 0 ? std::string_view{} : name.substr(dot);
}

bool is_cpp(std::string_view path) {
    const std::string_view extension = extension_of(path);
    return extension == ".h" || extension == ".cpp" || extension == ".cu" || extension == ".cuh";
}

bool is_platform_twin(std::string_view path) {
    const std::string_view stem = stem_of(path);
    return stem.ends_with("_posix") || stem.ends_with("_win32");
}

std::string code_of(std::string_view line) {
    std::string code;
    char quote = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (quote != 0) {
            if (c == '\\') {
                ++i;
            } else if (c == quote) {
                quote = 0;
                code += c;
            }
            continue;
        }
        if (c == '/' && i + 1 < line.size() && line[i + 1] == '/') break;
        // A quote between digits separates thousands.
        const bool is_separator =
            c == '\'' && i > 0 && std::isdigit(static_cast<unsigned char>(line[i - 1])) != 0;
        if ((c == '"' || c == '\'') && !is_separator) quote = c;
        code += c;
    }
    return code;
}

bool has_word(std::string_view text, std::string_view word) {
    for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
        const bool is_start = at == 0 || !is_identifier(text[at - 1]);
        const std::size_t end = at + word.size();
        const bool is_end = end == text.size() || !is_identifier(text[end]);
        if (is_start && is_end) return true;
    }
    return false;
}

}  // namespace nightshift::tidy
