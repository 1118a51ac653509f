#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/fpcb/dataset.h"

namespace nightshift::jobs {

inline constexpr int kBundleTreeDepthMax = 8;
inline constexpr std::size_t kBundlesMax = 1'000'000;

struct BundlePlace {
    std::filesystem::path folder;
    std::string name;   ///< path below the root with '/', or the folder's own name if it is the root
};

/// Every bundle below a folder (or the folder itself), by name. Links are not followed. Throws
/// JobError("no_such_input", "not_a_dataset") saying what lies there instead.
std::vector<BundlePlace> find_bundles(const std::filesystem::path& root);

/// True for what a sequence's folder may be called below a data set: a relative path with '/' of plain names,
/// not above kBundleTreeDepthMax of them, without "..".
bool is_bundle_name(std::string_view name);

/// A data set over text bundles; each read parses the files again.
std::unique_ptr<Dataset> open_bundles(const std::filesystem::path& root);

}  // namespace nightshift::jobs
