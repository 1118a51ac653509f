#include "jobs/table/csv_reader.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {
namespace {

/// A piece with long texts ends early.
constexpr std::size_t kPieceTextBytes = std::size_t{32} << 20;

class FileSource final : public CsvSource {
  public:
    explicit FileSource(const std::filesystem::path& file) : file_(file), stream_(file, std::ios::binary) {
        if (!stream_)
            throw JobError("io_error", "cannot read " + file.string() + ": " + std::strerror(errno));
    }
    std::size_t read(char* into, std::size_t room) override {
        stream_.read(into, static_cast<std::streamsize>(room));
        if (stream_.bad())
            throw JobError("io_error", "reading " + file_.string() + " failed; check the disk");
        return static_cast<std::size_t>(stream_.gcount());
    }
    void rewind() override {
        stream_.clear();
        stream_.seekg(0);
    }

  private:
    std::filesystem::path file_;
    std::ifstream stream_;
};

class TextSource final : public CsvSource {
  public:
    explicit TextSource(std::string_view text) : text_(text), rest_(text) {}
    std::size_t read(char* into, std::size_t room) override {
        const std::size_t bytes = rest_.copy(into, room);
        rest_.remove_prefix(bytes);
        return bytes;
    }
    void rewind() override { rest_ = text_; }

  private:
    std::string_view text_, rest_;
};

std::optional<double> number(std::string_view cell) {
    if (cell.empty()) return std::numeric_limits<double>::quiet_NaN();
    const std::size_t digits = cell.find_first_not_of("+-");
    if (digits != std::string_view::npos && cell[digits] == '0' && digits + 1 < cell.size() &&
        cell[digits + 1] >= '0' && cell[digits + 1] <= '9') {
        return std::nullopt;
    }
    const char* first = cell.data() + (cell.front() == '+' ? 1 : 0);
    const char* end = cell.data() + cell.size();
    double value = 0;
    const auto parsed = std::from_chars(first, end, value);
    if (parsed.ec == std::errc::result_out_of_range && parsed.ptr == end)
        return std::strtod(std::string(cell).c_str(), nullptr);
    if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
    return value;
}

class CsvTableReader final : public TableReader {
  public:
    CsvTableReader(std::unique_ptr<CsvSource> source, const std::string& file)
        : records_(std::move(source), file) {
        find_types();
        rewind();
    }

    const std::vector<ColumnHead>& columns() const override { return columns_; }
    const std::map<std::string, std::string>& notes() const override { return notes_; }
    std::size_t rows() const override { return rows_; }

    bool next(Table& piece) override {
        std::vector<Column> columns;
        for (const ColumnHead& head : columns_) columns.push_back(column_without_values(head));
        const std::size_t rows_max = piece_rows(columns_.size());
        std::size_t rows = 0, bytes = 0;
        while (rows < rows_max && bytes < kPieceTextBytes && records_.next(cells_)) {
            require_width();
            for (std::size_t j = 0; j < cells_.size(); ++j) bytes += take(columns[j].values, cells_[j]);
            ++rows;
        }
        if (rows == 0) return false;
        piece = Table(std::move(columns));
        return true;
    }

    void rewind() override {
        records_.rewind();
        records_.next(cells_);  // the names
    }

  private:
    void find_types() {
        if (!records_.next(cells_))
            refuse_csv(records_.file(), 1, "the file is empty; the first line must name the columns");
        for (const std::string_view name : cells_) columns_.push_back({std::string(name), {}});
        std::vector<char> has_value(columns_.size(), 0);
        while (records_.next(cells_)) {
            require_width();
            for (std::size_t j = 0; j < cells_.size(); ++j) {
                if (cells_[j].empty()) continue;
                has_value[j] = 1;
                if (columns_[j].type != ColumnHead::Type::kText && !number(cells_[j]))
                    columns_[j].type = ColumnHead::Type::kText;
            }
            ++rows_;
        }
        // A column without a single value cannot be told apart; empty text keeps it harmless.
        for (std::size_t j = 0; j < columns_.size(); ++j) {
            if (rows_ > 0 && has_value[j] == 0) columns_[j].type = ColumnHead::Type::kText;
        }
        try {
            require_unique(columns_);
        } catch (const JobError& error) {
            throw JobError(error.code(), records_.file() + ":1: " + error.what());
        }
    }

    void require_width() const {
        if (cells_.size() == columns_.size()) return;
        refuse_csv(records_.file(), records_.line(),
                   std::to_string(cells_.size()) + " cells instead of " + std::to_string(columns_.size()));
    }

    /// Returns the bytes of text that were kept.
    std::size_t take(Column::Values& values, std::string_view cell) const {
        if (auto* words = std::get_if<std::vector<std::string>>(&values)) {
            words->emplace_back(cell);
            return cell.size();
        }
        const auto value = number(cell);
        if (!value) {
            refuse_csv(records_.file(), records_.line(),
                       "'" + std::string(cell.substr(0, 40)) +
                           "' is no number, and was one a moment ago: something writes this file");
        }
        std::get<std::vector<double>>(values).push_back(*value);
        return 0;
    }

    CsvRecords records_;
    std::vector<ColumnHead> columns_;
    std::map<std::string, std::string> notes_;
    std::size_t rows_ = 0;
    std::vector<std::string_view> cells_;
};

}  // namespace

std::unique_ptr<CsvSource> csv_file(const std::filesystem::path& file) {
    return std::make_unique<FileSource>(file);
}

std::unique_ptr<CsvSource> csv_text_source(std::string_view text) {
    return std::make_unique<TextSource>(text);
}

std::unique_ptr<TableReader> csv_reader(std::unique_ptr<CsvSource> source, const std::string& file) {
    return std::make_unique<CsvTableReader>(std::move(source), file);
}

}  // namespace nightshift::jobs
