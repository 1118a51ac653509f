#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "jobs/table/table.h"

namespace nightshift::jobs {

/// A table that is written piece by piece, so that memory does not grow with its rows: to a temporary name,
/// which finish() makes the file's own. How the rows were cut into pieces changes no byte of it. One thread
/// at a time.
class TableWriter {
  public:
    /// CSV: doubles with 17 significant digits, floats with 9, LF, `nan`, `inf`; notes are dropped. Feather:
    /// uncompressed. Throws JobError: no_arrow, io_error, disk_full, bad_table (two columns of one name).
    TableWriter(std::filesystem::path path, TableFormat format, std::vector<ColumnHead> columns,
                std::map<std::string, std::string> notes = {});
    /// Without finish() nothing is left, and what stood under `path` before stays.
    ~TableWriter();
    TableWriter(const TableWriter&) = delete;
    TableWriter& operator=(const TableWriter&) = delete;

    /// Rows at the end. Throws JobError: bad_table where the columns differ in name or type, io_error,
    /// disk_full.
    void add(const Table& piece);
    /// Syncs, renames; then writes `<file>.sha256` in the format of sha256sum. Nothing can be added any more.
    void finish();

  private:
    class Sink;
    class CsvSink;
    class ArrowSink;

    std::filesystem::path path_, temporary_;
    std::vector<ColumnHead> columns_;
    std::unique_ptr<Sink> sink_;  ///< null once finished
};

}  // namespace nightshift::jobs
