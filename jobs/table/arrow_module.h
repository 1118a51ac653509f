#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "jobs/table/table.h"

namespace nightshift::jobs {

/// Arrow lives in a module of its own, loaded at the first Feather or Parquet file: every other worker
/// starts without its 70 MB of libraries.
inline constexpr int kArrowModuleVersion = 1;
inline constexpr const char* kArrowModuleFile = "nightshift-arrow.so";

/// What crosses the boundary: inline types only, so that the module needs no symbol of the worker.
struct TableParts {
    std::vector<Column> columns;
    std::map<std::string, std::string> notes;
    std::string error;  ///< empty = it worked
};

/// Throws JobError("no_arrow") without the module, "bad_table" with Arrow's words.
TableParts arrow_read(const std::filesystem::path& path, TableFormat format);
void arrow_write(const TableParts& parts, const std::filesystem::path& path, TableFormat format);
/// True where the module lies beside the program; does not load it.
bool has_arrow_module();

}  // namespace nightshift::jobs

extern "C" {
int nightshift_arrow_module_version();
void nightshift_arrow_read(const char* path, int format, nightshift::jobs::TableParts& out);
void nightshift_arrow_write(const nightshift::jobs::TableParts& parts, const char* path, int format,
                            std::string& error);
}
