#pragma once

#include <exception>
#include <map>
#include <string>
#include <vector>

#include "jobs/table/arrow_module.h"

namespace nightshift::jobs {

// The Arrow side of the boundary. Neither throws: errors are left in `out`.

void open_arrow_file(const std::string& path, TableFormat format, ArrowOpened& out);
void create_arrow_file(const std::string& path, TableFormat format, const std::vector<ColumnHead>& columns,
                       const std::map<std::string, std::string>& notes, ByteListener* listener,
                       ArrowCreated& out);

/// Runs what returns an arrow::Status; its words, or those of what was thrown (Parquet throws on some damaged
/// files). Empty = it worked.
template <typename Work>
std::string words_of(const Work& work) {
    try {
        const auto status = work();
        return status.ok() ? std::string() : status.message();
    } catch (const std::exception& error) {
        return error.what();
    }
}

}  // namespace nightshift::jobs
