#include <algorithm>
#include <array>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "tests/tidy/rules.h"

namespace nightshift::tidy {

namespace {

struct Include {
    int line;
    bool is_quoted;
    std::string name;
};

std::vector<Include> includes_of(const SourceFile& file) {
    std::vector<Include> found;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
        std::string_view line = file.lines[i];
        line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
        if (!line.starts_with("#include")) continue;
        const std::size_t open = line.find_first_of("<\"");
        if (open == std::string_view::npos) continue;
        const bool is_quoted = line[open] == '"';
        const std::size_t close = line.find(is_quoted ? '"' : '>', open + 1);
        if (close == std::string_view::npos) continue;
        found.push_back(
            {static_cast<int>(i) + 1, is_quoted, std::string(line.substr(open + 1, close - open - 1))});
    }
    return found;
}

/// A layer: a folder, and what it may include of ours, by prefix of the path.
struct Layer {
    std::string_view folder;
    std::vector<std::string_view> may_include;
};

/// The first row whose folder holds the file decides, so inner folders come first.
const std::vector<Layer>& layers() {
    static const std::vector<Layer> table = {
        {"scheduler", {"scheduler/"}},
        {"kernels", {"kernels/"}},
        {"db", {"db/", "scheduler/"}},
        {"web", {"web/"}},
        {"api", {"api/", "scheduler/", "db/queries.h", "web/assets.h"}},
        {"jobs",
         {"jobs/", "kernels/", "scheduler/wire.h", "scheduler/job.h", "scheduler/result.h",
          "scheduler/units.h", "scheduler/ids.h", "scheduler/assert.h", "scheduler/attempt.h",
          "scheduler/crash_point.h", "scheduler/gpu.h"}},
        // The command line is a client like any other: it speaks HTTP and knows only the vocabulary.
        {"daemon/cli", {"daemon/cli/", "scheduler/"}},
        {"daemon", {"daemon/", "api/", "db/", "scheduler/"}},
    };
    return table;
}

const Layer* layer_of(std::string_view path) {
    for (const Layer& layer : layers()) {
        if (path.starts_with(layer.folder) && path.substr(layer.folder.size()).starts_with("/"))
            return &layer;
    }
    return nullptr;
}

/// A library: prefixes of its headers, and the folders or files that may use it.
struct Library {
    std::string_view name;
    std::vector<std::string_view> headers;
    std::vector<std::string_view> users;
};

const std::vector<Library>& libraries() {
    static const std::vector<Library> table = {
        {"Boost", {"boost/"}, {"api/", "daemon/"}},
        {"SQLite", {"sqlite3.h"}, {"db/"}},
        {"JSON", {"nlohmann/"}, {"scheduler/wire_", "api/", "daemon/", "jobs/"}},
        {"LibTorch", {"torch/", "ATen/", "c10/"}, {"jobs/torch/"}},
        {"CUDA", {"cuda", "cublas", "cub/", "thrust/", "nvml"}, {"kernels/"}},
        {"Eigen", {"Eigen/", "eigen3/"}, {"kernels/", "jobs/"}},
        {"Arrow", {"arrow/", "parquet/"}, {"jobs/table/"}},
        {"OpenSSL", {"openssl/"}, {"api/", "daemon/", "jobs/"}},
        {"zstd", {"zstd.h"}, {"daemon/", "jobs/"}},
        {"spdlog", {"spdlog/"}, {"api/", "daemon/"}},
        {"fmt", {"fmt/"}, {"api/", "daemon/", "jobs/"}},
        {"CLI11", {"CLI/"}, {"daemon/", "jobs/"}},
        {"date", {"date/"}, {"daemon/"}},
    };
    return table;
}

/// Headers of an operating system; a twin hides them.
bool is_platform_header(std::string_view name) {
    static const std::set<std::string_view> names = {
        "unistd.h", "fcntl.h",  "signal.h", "poll.h",     "pthread.h", "dlfcn.h",  "spawn.h",
        "dirent.h", "pwd.h",    "grp.h",    "netdb.h",    "termios.h", "syslog.h", "windows.h",
        "io.h",     "direct.h", "sched.h",  "linux/fs.h", "mntent.h",  "ifaddrs.h"};
    return name.starts_with("sys/") || name.starts_with("linux/") || name.starts_with("netinet/") ||
           name.starts_with("arpa/") || names.contains(name);
}

bool starts_with_any(std::string_view text, const std::vector<std::string_view>& prefixes) {
    return std::any_of(prefixes.begin(), prefixes.end(),
                       [&](std::string_view prefix) { return text.starts_with(prefix); });
}

}  // namespace

std::vector<Finding> folders_include_only_lower_layers(const Tree& tree) {
    std::vector<Finding> findings;
    for (const SourceFile& file : tree.files) {
        const Layer* layer = is_cpp(file.path) ? layer_of(file.path) : nullptr;
        if (layer == nullptr) continue;
        for (const Include& include : includes_of(file)) {
            if (!include.is_quoted || starts_with_any(include.name, layer->may_include)) continue;
            findings.push_back(
                {file.path, include.line,
                 std::string(layer->folder) + " must not include " + include.name +
                     " (quoted includes are root-relative; layers: tests/tidy/include_rules.cpp)"});
        }
    }
    return findings;
}

std::vector<Finding> libraries_stay_in_their_folders(const Tree& tree) {
    std::vector<Finding> findings;
    for (const SourceFile& file : tree.files) {
        if (!is_cpp(file.path) || layer_of(file.path) == nullptr) continue;
        const std::string_view extension = extension_of(file.path);
        for (const Include& include : includes_of(file)) {
            for (const Library& library : libraries()) {
                if (!starts_with_any(include.name, library.headers)) continue;
                if (!starts_with_any(file.path, library.users)) {
                    findings.push_back(
                        {file.path, include.line,
                         std::string(library.name) + " does not belong here: " + include.name});
                }
                if (library.name == "CUDA" && extension != ".cu" && extension != ".cuh") {
                    findings.push_back(
                        {file.path, include.line, "CUDA headers only in .cu and .cuh: " + include.name});
                }
            }
        }
    }
    return findings;
}

std::vector<Finding> heavy_headers_stay_out_of_headers(const Tree& tree) {
    static const std::vector<std::string_view> heavy = {
        "nlohmann/json.hpp", "sqlite3.h",   "boost/beast.hpp", "boost/asio.hpp", "torch/all.h",
        "torch/torch.h",     "arrow/api.h", "parquet/",        "CLI/",           "regex"};
    std::vector<Finding> findings;
    for (const SourceFile& file : tree.files) {
        // A precompiled header is compiled once for all, which is its purpose.
        if (extension_of(file.path) != ".h" || name_of(file.path) == "pch.h" ||
            layer_of(file.path) == nullptr)
            continue;
        for (const Include& include : includes_of(file)) {
            if (include.is_quoted || !starts_with_any(include.name, heavy)) continue;
            findings.push_back(
                {file.path, include.line, include.name + " only in .cpp files: forward-declare here"});
        }
    }
    return findings;
}

std::vector<Finding> platform_headers_only_in_twins(const Tree& tree) {
    std::vector<Finding> findings;
    for (const SourceFile& file : tree.files) {
        if (!is_cpp(file.path) || layer_of(file.path) == nullptr || is_platform_twin(file.path)) continue;
        for (const Include& include : includes_of(file)) {
            if (!is_platform_header(include.name)) continue;
            findings.push_back(
                {file.path, include.line,
                 "<" + include.name + "> belongs into a _posix.cpp or _win32.cpp behind one header"});
        }
    }
    return findings;
}

std::vector<Finding> own_header_comes_first(const Tree& tree) {
    std::vector<Finding> findings;
    for (const SourceFile& file : tree.files) {
        const std::string_view extension = extension_of(file.path);
        if ((extension != ".cpp" && extension != ".cu") || layer_of(file.path) == nullptr) continue;
        const std::string own =
            std::string(folder_of(file.path)) + "/" + std::string(stem_of(file.path)) + ".h";
        if (!tree.has(own)) continue;
        const std::vector<Include> includes = includes_of(file);
        if (!includes.empty() && includes.front().name == own) continue;
        findings.push_back({file.path, includes.empty() ? 0 : includes.front().line,
                            "includes \"" + own + "\" first, so that the header stands on its own"});
    }
    return findings;
}

}  // namespace nightshift::tidy
