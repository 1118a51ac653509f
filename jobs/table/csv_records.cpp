#include "jobs/table/csv_records.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {
namespace {

constexpr std::size_t kColumnsMax = 100'000;
constexpr std::size_t kBlockBytes = std::size_t{256} << 10;

bool ends_plain(char c) {
    return c == ',' || c == '\n' || c == '\r';
}

}  // namespace

void refuse_csv(const std::string& file, std::size_t line, const std::string& what) {
    throw JobError("bad_table", file + ":" + std::to_string(line) + ": " + what);
}

CsvRecords::CsvRecords(std::unique_ptr<CsvSource> source, std::string file)
    : source_(std::move(source)), file_(std::move(file)), block_(kBlockBytes) {}

void CsvRecords::rewind() {
    source_->rewind();
    begin_ = end_ = 0;
    line_ = record_line_ = 1;
    is_ended_ = is_started_ = false;
}

bool CsvRecords::next(std::vector<std::string_view>& cells) {
    cells.clear();
    if (!skip_blank()) return false;
    record_line_ = line_;
    while (!split()) fill();
    for (const Span& span : spans_) cells.push_back(text_of(span));
    return true;
}

/// False at the end of the file.
bool CsvRecords::skip_blank() {
    if (!is_started_) {
        constexpr std::string_view kMark = "\xEF\xBB\xBF";
        while (end_ < kMark.size() && !is_ended_) fill();
        if (std::string_view(block_.data(), end_).starts_with(kMark)) begin_ = kMark.size();
        is_started_ = true;
    }
    while (true) {
        while (begin_ < end_ && (block_[begin_] == '\n' || block_[begin_] == '\r')) {
            if (block_[begin_++] == '\n') ++line_;
        }
        if (begin_ < end_) return true;
        if (is_ended_) return false;
        fill();
    }
}

/// Finds the cells of the record at begin_ and steps over it. False where the block ends before it does: then
/// nothing has changed.
bool CsvRecords::split() {
    spans_.clear();
    std::size_t at = begin_, line = line_;
    while (true) {
        Span cell{at, at, false};
        if (at < end_ && block_[at] == '"') {
            if (!skip_quoted(cell, at, line)) return false;
        } else {
            while (at < end_ && !ends_plain(block_[at])) ++at;
            cell.end = at;
        }
        spans_.push_back(cell);
        if (spans_.size() > kColumnsMax) refuse_csv(file_, line, "more than 100000 columns");
        if (at == end_) {
            if (!is_ended_) return false;
            break;
        }
        const char stop = block_[at++];
        if (stop == ',') continue;
        if (stop == '\r') {
            if (at == end_ && !is_ended_) return false;
            if (at < end_ && block_[at] == '\n') ++at;
        }
        ++line;
        break;
    }
    begin_ = at;
    line_ = line;
    return true;
}

/// From the opening quote to behind the closing one, or to the block's end: then split() sees that the record
/// is not whole. False where the block ends inside the quotes.
bool CsvRecords::skip_quoted(Span& cell, std::size_t& at, std::size_t& line) const {
    cell.begin = ++at;
    while (true) {
        if (at == end_) {
            if (!is_ended_) return false;
            refuse_csv(file_, record_line_, "a quoted cell has no end");
        }
        const char c = block_[at++];
        if (c == '\n') ++line;
        if (c != '"') continue;
        if (at == end_ || block_[at] != '"') break;
        cell.has_quotes = true;
        ++at;
    }
    cell.end = at - 1;
    if (at < end_ && !ends_plain(block_[at])) refuse_csv(file_, record_line_, "text after a closing quote");
    return true;
}

/// Reads on behind what is not split yet, which moves to the front of the block.
void CsvRecords::fill() {
    std::memmove(block_.data(), block_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    if (end_ == block_.size()) {
        if (end_ >= kCsvRecordBytesMax) {
            refuse_csv(file_, record_line_,
                       "a line of more than " + std::to_string(kCsvRecordBytesMax >> 20) +
                           " MiB; if it should be shorter, a quoted cell may have no end");
        }
        block_.resize(std::min(2 * block_.size(), kCsvRecordBytesMax));
    }
    const std::size_t got = source_->read(block_.data() + end_, block_.size() - end_);
    end_ += got;
    is_ended_ = got == 0;
}

/// Doubled quotes become one where they stand: the record is not split again.
std::string_view CsvRecords::text_of(const Span& cell) {
    char* const first = block_.data() + cell.begin;
    if (!cell.has_quotes) return {first, cell.end - cell.begin};
    char* to = first;
    for (std::size_t i = cell.begin; i < cell.end; ++i) {
        *to++ = block_[i];
        if (block_[i] == '"') ++i;
    }
    return {first, static_cast<std::size_t>(to - first)};
}

}  // namespace nightshift::jobs
