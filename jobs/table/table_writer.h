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
    /// disk_full. After a failure of the disk nothing but the destructor is of use: all else is refused.
    void add(const Table& piece);
    /// Syncs, renames; then writes `<file>.sha256` in the format of sha256sum. Nothing can be added any more.
    /// Gives the file's SHA-256, 64 hex digits, which was made while it was written and is remembered: nobody
    /// has to read the file for it (runtime/written_hashes.h).
    std::string finish();

  private:
    class Digest;
    class Sink;
    class CsvSink;
    class ArrowSink;

    /// Refuses after a failure: what is on the disk is not known then.
    template <typename Work>
    void write(const Work& work);

    std::filesystem::path path_, temporary_;
    std::vector<ColumnHead> columns_;
    bool is_broken_ = false;
    std::unique_ptr<Digest> digest_;
    std::unique_ptr<Sink> sink_;  ///< null once finished; tells digest_ what it writes
};

}  // namespace nightshift::jobs
