#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nightshift::jobs {

/// Where the bytes of a CSV come from. One thread at a time.
class CsvSource {
  public:
    virtual ~CsvSource() = default;
    /// Fills at most `room` bytes, returns how many; 0 at the end. Throws JobError("io_error").
    virtual std::size_t read(char* into, std::size_t room) = 0;
    virtual void rewind() = 0;
};

inline constexpr std::size_t kCsvRecordBytesMax = std::size_t{64} << 20;

/// Splits a CSV into records, a block of bytes at a time: LF, CRLF or CR, double quotes as in RFC 4180, so
/// that a quoted cell may span lines; a byte order mark and blank lines are skipped. One thread at a time.
class CsvRecords {
  public:
    /// `file` is what errors name.
    CsvRecords(std::unique_ptr<CsvSource> source, std::string file);

    /// Cells of the next record, which stand until the next call; false at the end. Throws
    /// JobError("bad_table") with file and line, also for a record above kCsvRecordBytesMax.
    bool next(std::vector<std::string_view>& cells);
    std::size_t line() const { return record_line_; }  ///< first line of that record, from 1
    const std::string& file() const { return file_; }
    void rewind();

  private:
    /// A cell's place in the block, without its quotes.
    struct Span {
        std::size_t begin = 0, end = 0;
        bool has_quotes = false;  ///< doubled ones inside
    };

    bool split();
    bool skip_quoted(Span& cell, std::size_t& at, std::size_t& line) const;
    bool skip_blank();
    void fill();
    std::string_view text_of(const Span& cell);

    std::unique_ptr<CsvSource> source_;
    std::string file_;
    std::vector<char> block_;
    std::vector<Span> spans_;
    std::size_t begin_ = 0, end_ = 0;  ///< of what was read and is not split yet, in block_
    std::size_t line_ = 1, record_line_ = 1;
    bool is_ended_ = false, is_started_ = false;
};

/// Throws JobError("bad_table", "file:line: what").
[[noreturn]] void refuse_csv(const std::string& file, std::size_t line, const std::string& what);

}  // namespace nightshift::jobs
