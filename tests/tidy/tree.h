#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nightshift::tidy {

/// A text file of the repository. `path` is relative to the root, with slashes.
struct SourceFile {
    std::string path;
    std::vector<std::string> lines;
};

/// What the rules look at: every file of ours, sorted by path. Plain data, so that a test can make a bad one.
struct Tree {
    std::vector<SourceFile> files;   ///< text files, with content
    std::vector<std::string> paths;  ///< every file and folder, binary ones included

    bool has(std::string_view path) const;
    const SourceFile* find(std::string_view path) const;
};

/// A broken rule. `line` counts from 1; 0 means the file as a whole.
struct Finding {
    std::string path;
    int line = 0;
    std::string text;
};

/// Reads the repository at `root`, leaving out what is built, fetched or ignored.
Tree read_tree(const std::string& root);

/// Makes a tree of one file from its content, for the tests of the rules.
Tree tree_of(std::string path, std::string_view content);
void add_file(Tree& tree, std::string path, std::string_view content);

// --- names ---------------------------------------------------------------------------------------
std::string_view folder_of(std::string_view path);     ///< "daemon/cli/x.cpp" -> "daemon/cli"
std::string_view top_of(std::string_view path);        ///< "daemon/cli/x.cpp" -> "daemon"
std::string_view name_of(std::string_view path);       ///< "daemon/cli/x.cpp" -> "x.cpp"
std::string_view stem_of(std::string_view path);       ///< "daemon/cli/x.cpp" -> "x"
std::string_view extension_of(std::string_view path);  ///< ".cpp"; empty when there is none
bool is_cpp(std::string_view path);                    ///< .h .cpp .cu .cuh
bool is_platform_twin(std::string_view path);          ///< the stem ends in _posix or _win32

/// The line without string literals and without what follows `//`. Good enough for rules about tokens;
/// raw strings are not understood.
std::string code_of(std::string_view line);

/// Whether `word` stands in `text` with no identifier character around it.
bool has_word(std::string_view text, std::string_view word);

}  // namespace nightshift::tidy
