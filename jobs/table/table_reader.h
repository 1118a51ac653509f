#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "jobs/table/table.h"

namespace nightshift::jobs {

/// A table that is read piece by piece, so that memory does not grow with its rows. One pass at a time; one
/// thread at a time.
class TableReader {
  public:
    /// Where a `<file>.sha256` lies beside the file, the whole file is checked against it first. In a CSV a
    /// column whose cells are all numbers (or empty, nan, inf) is double, else text: it is read through once
    /// to know. Throws JobError: no_such_input, hash_mismatch (both hashes named), bad_table (line named),
    /// no_arrow.
    static std::unique_ptr<TableReader> open(const std::filesystem::path& path);
    /// The same of a table that this process has just written, whose hash it made a moment ago: they are not
    /// compared.
    static std::unique_ptr<TableReader> open_written(const std::filesystem::path& path);
    virtual ~TableReader() = default;

    virtual const std::vector<ColumnHead>& columns() const = 0;
    /// Key-value notes; a CSV has none.
    virtual const std::map<std::string, std::string>& notes() const = 0;
    /// As the file says; what next() gives may still throw.
    virtual std::size_t rows() const = 0;

    /// Replaces `piece` by the next rows, at least one and at most piece_rows() of every column, without
    /// notes, and may use its memory; false at the end, where it may be left empty. Throws
    /// JobError("bad_table"); after that only rewind() is of use.
    virtual bool next(Table& piece) = 0;
    /// Starts again at the first row, without a second look at the hash.
    virtual void rewind() = 0;

    TableReader(const TableReader&) = delete;
    TableReader& operator=(const TableReader&) = delete;

  protected:
    TableReader() = default;
};

/// Rows at the end of `to`, which has the same columns; one without columns becomes the piece. Throws
/// JobError("bad_table").
void append_rows(Table& to, Table&& piece);

/// What is left to read, in one table, with the notes.
Table rest_of(TableReader& reader);

}  // namespace nightshift::jobs
