#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "jobs/table/byte_listener.h"
#include "jobs/table/table.h"

namespace nightshift::jobs {

/// Arrow lives in a module of its own, loaded at the first Feather or Parquet file: every other worker
/// starts without its 70 MB of libraries.
inline constexpr int kArrowModuleVersion = 3;
inline constexpr const char* kArrowModuleFile = "nightshift-arrow.so";

// What crosses the boundary: inline types and pure virtual classes only, so that the module needs no symbol
// of the worker. Nothing throws across it: an error is Arrow's words, empty = it worked. One thread at a
// time.

class ArrowReader {
  public:
    virtual ~ArrowReader() = default;
    /// The next rows, at most piece_rows() of every column, into the memory of those that are there; no
    /// columns at the end.
    virtual std::string next(std::vector<Column>& piece) = 0;
    virtual std::string rewind() = 0;
};

struct ArrowOpened {
    std::unique_ptr<ArrowReader> reader;
    std::vector<ColumnHead> columns;
    std::map<std::string, std::string> notes;
    std::size_t rows = 0;
    std::string error;
};

class ArrowWriter {
  public:
    virtual ~ArrowWriter() = default;
    /// At least one row. They are stored together: a record batch of Feather, a row group of Parquet.
    virtual std::string write(const std::vector<Column>& rows) = 0;
    virtual std::string close() = 0;
};

struct ArrowCreated {
    std::unique_ptr<ArrowWriter> writer;
    std::string error;
};

/// Throws JobError("no_arrow") without the module, "bad_table" with Arrow's words.
ArrowOpened arrow_open(const std::filesystem::path& path, TableFormat format);
/// `listener` (null: nobody) hears the file as it is written and must outlive the writer. Throws
/// JobError("no_arrow") without the module, "io_error" with Arrow's words.
std::unique_ptr<ArrowWriter> arrow_create(const std::filesystem::path& path, TableFormat format,
                                          const std::vector<ColumnHead>& columns,
                                          const std::map<std::string, std::string>& notes,
                                          ByteListener* listener);
/// True where the module lies beside the program; does not load it.
bool has_arrow_module();

}  // namespace nightshift::jobs

extern "C" {
int nightshift_arrow_module_version();
void nightshift_arrow_open(const char* path, int format, nightshift::jobs::ArrowOpened& out);
void nightshift_arrow_create(const char* path, int format,
                             const std::vector<nightshift::jobs::ColumnHead>& columns,
                             const std::map<std::string, std::string>& notes,
                             nightshift::jobs::ByteListener* listener, nightshift::jobs::ArrowCreated& out);
}
