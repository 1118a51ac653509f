#include "jobs/table/table_writer.h"

#include <algorithm>
#include <span>
#include <system_error>
#include <utility>

#include "jobs/runtime/durable_file.h"
#include "jobs/runtime/job_impl.h"
#include "jobs/runtime/sha256.h"
#include "jobs/runtime/written_hashes.h"
#include "jobs/table/arrow_module.h"
#include "jobs/table/csv.h"

namespace nightshift::jobs {

namespace fs = std::filesystem;

/// SHA-256 of what is written.
class TableWriter::Digest final : public ByteListener {
  public:
    void hear(std::span<const std::byte> bytes) noexcept override { hash_.update(bytes); }
    std::string hex() { return hash_.hex(); }

  private:
    Sha256 hash_;
};

class TableWriter::Sink {
  public:
    virtual ~Sink() = default;
    virtual void add(const Table& piece) = 0;
    virtual void close() = 0;
};

class TableWriter::CsvSink final : public Sink {
  public:
    CsvSink(const fs::path& temporary, const std::vector<ColumnHead>& columns, ByteListener& listener)
        : file_(temporary), listener_(listener) {
        append_csv_head(text_, columns);
    }
    void add(const Table& piece) override {
        for (std::size_t row = 0; row < piece.rows(); ++row) {
            append_csv_row(text_, piece.columns(), row);
            if (text_.size() >= kTextBytes) flush();
        }
    }
    void close() override { flush(); }

  private:
    static constexpr std::size_t kTextBytes = std::size_t{256} << 10;

    void flush() {
        file_.append(text_);
        listener_.hear(std::as_bytes(std::span(text_)));
        text_.clear();
    }

    AppendedFile file_;
    ByteListener& listener_;
    std::string text_;
};

/// Gathers rows, so that every batch but the last has as many.
class TableWriter::ArrowSink final : public Sink {
  public:
    ArrowSink(const fs::path& temporary, TableFormat format, const std::vector<ColumnHead>& columns,
              const std::map<std::string, std::string>& notes, ByteListener& listener)
        : temporary_(temporary), writer_(arrow_create(temporary, format, columns, notes, &listener)) {
        for (const ColumnHead& head : columns) rows_.push_back(column_without_values(head));
    }
    void add(const Table& piece) override {
        const std::size_t rows_max = piece_rows(rows_.size());
        // As jobs mostly give them: nothing to gather.
        if (gathered_ == 0 && piece.rows() == rows_max) return require(writer_->write(piece.columns()));
        for (std::size_t first = 0; first < piece.rows();) {
            const std::size_t count = std::min(piece.rows() - first, rows_max - gathered_);
            gather(piece, first, count);
            first += count;
            if (gathered_ == rows_max) flush();
        }
    }
    void close() override {
        if (gathered_ > 0) flush();
        require(writer_->close());
    }

  private:
    void gather(const Table& piece, std::size_t first, std::size_t count) {
        for (std::size_t j = 0; j < rows_.size(); ++j) {
            std::visit(
                [&](auto& to) {
                    const auto& from = std::get<std::decay_t<decltype(to)>>(piece.columns()[j].values);
                    const auto begin = from.begin() + static_cast<std::ptrdiff_t>(first);
                    to.insert(to.end(), begin, begin + static_cast<std::ptrdiff_t>(count));
                },
                rows_[j].values);
        }
        gathered_ += count;
    }

    void flush() {
        require(writer_->write(rows_));
        for (Column& column : rows_) std::visit([](auto& list) { list.clear(); }, column.values);
        gathered_ = 0;
    }

    void require(const std::string& error) const {
        if (!error.empty()) throw JobError("io_error", temporary_.string() + ": " + error);
    }

    fs::path temporary_;
    std::unique_ptr<ArrowWriter> writer_;
    std::vector<Column> rows_;
    std::size_t gathered_ = 0;
};

TableWriter::TableWriter(fs::path path, TableFormat format, std::vector<ColumnHead> columns,
                         std::map<std::string, std::string> notes)
    : path_(std::move(path)),
      temporary_(path_),
      columns_(std::move(columns)),
      digest_(std::make_unique<Digest>()) {
    require_unique(columns_);
    temporary_ += ".tmp";
    if (format == TableFormat::kCsv)
        sink_ = std::make_unique<CsvSink>(temporary_, columns_, *digest_);
    else
        sink_ = std::make_unique<ArrowSink>(temporary_, format, columns_, notes, *digest_);
}

TableWriter::~TableWriter() {
    if (!sink_) return;
    sink_.reset();
    std::error_code ignored;
    fs::remove(temporary_, ignored);
}

template <typename Work>
void TableWriter::write(const Work& work) {
    if (is_broken_ || !sink_) {
        throw JobError("io_error", path_.string() +
                                       ": the table is finished, or writing it failed and its rows are not "
                                       "whole; write it again from its first row");
    }
    is_broken_ = true;
    work();
    is_broken_ = false;
}

void TableWriter::add(const Table& piece) {
    if (piece.heads() != columns_) {
        throw JobError("bad_table",
                       path_.string() + ": rows with other columns than the file's cannot be added to it");
    }
    write([&] { sink_->add(piece); });
}

std::string TableWriter::finish() {
    std::string hash;
    write([&] {
        sink_->close();
        hash = digest_->hex();
        // An old hash must not outlive the file it speaks of.
        std::error_code error;
        fs::remove(hash_file_of(path_), error);
        rename_durably(temporary_, path_);
        remember_hash(path_, hash);
        sink_.reset();
        write_durably(hash_file_of(path_), hash + "  " + path_.filename().string() + "\n");
    });
    return hash;
}

}  // namespace nightshift::jobs
