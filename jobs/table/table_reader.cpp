#include "jobs/table/table_reader.h"

#include <iterator>
#include <optional>
#include <system_error>
#include <utility>

#include "jobs/runtime/durable_file.h"
#include "jobs/runtime/job_impl.h"
#include "jobs/runtime/sha256.h"
#include "jobs/table/arrow_module.h"
#include "jobs/table/csv_reader.h"

namespace nightshift::jobs {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHashFileBytesMax = 4096;

/// A file with the name of a table.
void require_table(const fs::path& path) {
    std::error_code error;
    if (!fs::is_regular_file(path, error)) {
        throw JobError("no_such_input",
                       path.string() + ": no such file. Give a .csv, .feather or .parquet table, or job:ID.");
    }
    table_format_of(path);
}

/// The SHA-256 that lies beside a table; none where no such file does.
std::optional<std::string> recorded_hash(const fs::path& path) {
    std::error_code error;
    const fs::path beside = hash_file_of(path);
    if (!fs::exists(beside, error)) return std::nullopt;
    const std::string text = read_text(beside, kHashFileBytesMax);
    return text.substr(0, text.find_first_of(" \n"));
}

/// Compares with the hash that lies beside the file, if one does.
void check_hash(const fs::path& path) {
    const auto recorded = recorded_hash(path);
    if (!recorded) return;
    const std::string found = sha256_of_file(path);
    if (*recorded == found) return;
    std::error_code error;
    throw JobError("hash_mismatch",
                   path.string() + " is not what was written (" + std::to_string(fs::file_size(path, error)) +
                       " bytes now). Recorded SHA-256 " + *recorded + ", found " + found +
                       ". Make the table again, or delete " + hash_file_of(path).filename().string() +
                       " if you changed it on purpose.");
}

/// A Feather or Parquet file.
class ArrowTableReader final : public TableReader {
  public:
    ArrowTableReader(const fs::path& path, TableFormat format)
        : path_(path), opened_(arrow_open(path, format)) {
        require_unique(opened_.columns);
    }

    const std::vector<ColumnHead>& columns() const override { return opened_.columns; }
    const std::map<std::string, std::string>& notes() const override { return opened_.notes; }
    std::size_t rows() const override { return opened_.rows; }

    bool next(Table& piece) override {
        std::vector<Column> columns = piece.release();  // its memory serves again
        require(opened_.reader->next(columns));
        if (columns.empty()) return false;
        piece = Table(std::move(columns));
        return true;
    }

    void rewind() override { require(opened_.reader->rewind()); }

  private:
    void require(const std::string& error) const {
        if (!error.empty()) throw JobError("bad_table", path_.string() + ": " + error);
    }

    fs::path path_;
    ArrowOpened opened_;
};

void append(Column::Values& to, Column::Values&& from) {
    std::visit(
        [&](auto& list) {
            auto& more = std::get<std::decay_t<decltype(list)>>(from);
            if (list.empty())
                list = std::move(more);
            else
                list.insert(list.end(), std::make_move_iterator(more.begin()),
                            std::make_move_iterator(more.end()));
        },
        to);
}

}  // namespace

void append_rows(Table& to, Table&& piece) {
    if (to.columns().empty()) {
        to = std::move(piece);
        return;
    }
    if (to.heads() != piece.heads())
        throw JobError("bad_table", "pieces of one table have different columns");
    std::map<std::string, std::string> notes = std::move(to.notes);
    std::vector<Column> columns = to.release(), more = piece.release();
    for (std::size_t j = 0; j < columns.size(); ++j) append(columns[j].values, std::move(more[j].values));
    to = Table(std::move(columns));
    to.notes = std::move(notes);
}

Table rest_of(TableReader& reader) {
    Table out = table_without_rows(reader.columns()), piece;
    out.notes = reader.notes();
    while (reader.next(piece)) append_rows(out, std::move(piece));
    return out;
}

std::unique_ptr<TableReader> TableReader::open(const fs::path& path) {
    require_table(path);
    check_hash(path);
    return open_written(path);
}

std::unique_ptr<TableReader> TableReader::open_written(const fs::path& path) {
    require_table(path);
    const TableFormat format = table_format_of(path);
    if (format == TableFormat::kCsv) return csv_reader(csv_file(path), path.string());
    return std::make_unique<ArrowTableReader>(path, format);
}

}  // namespace nightshift::jobs
