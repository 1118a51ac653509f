#include <algorithm>
#include <limits>
#include <memory>
#include <type_traits>
#include <utility>

#include <arrow/api.h>
#include <arrow/io/api.h>
#include <arrow/ipc/api.h>
#include <parquet/arrow/reader.h>
#include <parquet/properties.h>

#include "jobs/table/arrow/arrow_files.h"

namespace nightshift::jobs {
namespace {

using Batch = std::shared_ptr<arrow::RecordBatch>;

/// Empty; keeps the memory of numbers or words that were there.
template <typename T>
std::vector<T>& list_of(Column::Values& values) {
    auto* list = std::get_if<std::vector<T>>(&values);
    if (list == nullptr) return values.emplace<std::vector<T>>();
    list->clear();
    return *list;
}

template <typename Array>
void take_numbers(const arrow::Array& chunk, Column::Values& values) {
    const auto& typed = static_cast<const Array&>(chunk);
    auto& out = list_of<double>(values);
    if constexpr (!std::is_same_v<Array, arrow::BooleanArray>) {
        if (typed.null_count() == 0)
            return out.assign(typed.raw_values(), typed.raw_values() + typed.length());
    }
    out.reserve(static_cast<std::size_t>(typed.length()));
    for (std::int64_t i = 0; i < typed.length(); ++i) {
        out.push_back(typed.IsNull(i) ? std::numeric_limits<double>::quiet_NaN()
                                      : static_cast<double>(typed.Value(i)));
    }
}

void take_floats(const arrow::Array& chunk, Column::Values& values) {
    const auto& typed = static_cast<const arrow::FloatArray&>(chunk);
    auto& out = list_of<float>(values);
    if (typed.null_count() == 0) return out.assign(typed.raw_values(), typed.raw_values() + typed.length());
    out.reserve(static_cast<std::size_t>(typed.length()));
    for (std::int64_t i = 0; i < typed.length(); ++i)
        out.push_back(typed.IsNull(i) ? std::numeric_limits<float>::quiet_NaN() : typed.Value(i));
}

template <typename Array>
void take_words(const arrow::Array& chunk, Column::Values& values) {
    const auto& typed = static_cast<const Array&>(chunk);
    auto& out = list_of<std::string>(values);
    out.reserve(static_cast<std::size_t>(typed.length()));
    for (std::int64_t i = 0; i < typed.length(); ++i)
        out.push_back(typed.IsNull(i) ? std::string() : typed.GetString(i));
}

using Take = void (*)(const arrow::Array& chunk, Column::Values& values);

/// nullptr for what is neither number nor text.
Take take_of(arrow::Type::type type) {
    switch (type) {
        case arrow::Type::DOUBLE:
            return take_numbers<arrow::DoubleArray>;
        case arrow::Type::FLOAT:
            return take_floats;
        case arrow::Type::INT64:
            return take_numbers<arrow::Int64Array>;
        case arrow::Type::INT32:
            return take_numbers<arrow::Int32Array>;
        case arrow::Type::INT16:
            return take_numbers<arrow::Int16Array>;
        case arrow::Type::INT8:
            return take_numbers<arrow::Int8Array>;
        case arrow::Type::UINT64:
            return take_numbers<arrow::UInt64Array>;
        case arrow::Type::UINT32:
            return take_numbers<arrow::UInt32Array>;
        case arrow::Type::UINT16:
            return take_numbers<arrow::UInt16Array>;
        case arrow::Type::UINT8:
            return take_numbers<arrow::UInt8Array>;
        case arrow::Type::BOOL:
            return take_numbers<arrow::BooleanArray>;
        case arrow::Type::STRING:
            return take_words<arrow::StringArray>;
        case arrow::Type::LARGE_STRING:
            return take_words<arrow::LargeStringArray>;
        case arrow::Type::STRING_VIEW:
            return take_words<arrow::StringViewArray>;
        default:
            return nullptr;
    }
}

ColumnHead::Type type_of(arrow::Type::type type) {
    if (type == arrow::Type::FLOAT) return ColumnHead::Type::kFloat;
    const bool is_text =
        type == arrow::Type::STRING || type == arrow::Type::LARGE_STRING || type == arrow::Type::STRING_VIEW;
    return is_text ? ColumnHead::Type::kText : ColumnHead::Type::kDouble;
}

/// Record batches of a file, one after another; null at the end.
class Batches {
  public:
    virtual ~Batches() = default;
    virtual arrow::Result<Batch> next() = 0;
    virtual arrow::Status rewind() = 0;
};

/// Feather V2 is the IPC file format. Read, not mapped: pages that were mapped and read would stay resident.
class IpcBatches final : public Batches {
  public:
    explicit IpcBatches(std::shared_ptr<arrow::ipc::RecordBatchFileReader> file) : file_(std::move(file)) {}
    arrow::Result<Batch> next() override {
        return at_ < file_->num_record_batches() ? file_->ReadRecordBatch(at_++) : Batch();
    }
    arrow::Status rewind() override {
        at_ = 0;
        return arrow::Status::OK();
    }

  private:
    std::shared_ptr<arrow::ipc::RecordBatchFileReader> file_;
    int at_ = 0;
};

class ParquetBatches final : public Batches {
  public:
    explicit ParquetBatches(std::unique_ptr<parquet::arrow::FileReader> file) : file_(std::move(file)) {}
    arrow::Result<Batch> next() override {
        if (!batches_) ARROW_RETURN_NOT_OK(rewind());
        Batch batch;
        ARROW_RETURN_NOT_OK(batches_->ReadNext(&batch));
        return batch;
    }
    arrow::Status rewind() override { return file_->GetRecordBatchReader().Value(&batches_); }

  private:
    std::unique_ptr<parquet::arrow::FileReader> file_;
    std::unique_ptr<arrow::RecordBatchReader> batches_;
};

/// Slices of batches, copied into columns.
class PieceReader final : public ArrowReader {
  public:
    explicit PieceReader(std::unique_ptr<Batches> batches) : batches_(std::move(batches)) {}

    std::string next(std::vector<Column>& piece) override {
        return words_of([&] { return take(piece); });
    }
    std::string rewind() override {
        return words_of([&] {
            batch_ = nullptr;
            return batches_->rewind();
        });
    }

  private:
    arrow::Status take(std::vector<Column>& piece) {
        while (!batch_ || at_ == batch_->num_rows()) {
            batch_ = nullptr;  // not beside the next one
            ARROW_ASSIGN_OR_RAISE(batch_, batches_->next());
            if (!batch_) {
                piece.clear();
                return arrow::Status::OK();
            }
            // A damaged file can decode to arrays that point outside their buffers.
            ARROW_RETURN_NOT_OK(batch_->ValidateFull());
            at_ = 0;
        }
        const auto rows_max = piece_rows(static_cast<std::size_t>(batch_->num_columns()));
        const std::int64_t rows = std::min(batch_->num_rows() - at_, static_cast<std::int64_t>(rows_max));
        piece.resize(static_cast<std::size_t>(batch_->num_columns()));
        for (int j = 0; j < batch_->num_columns(); ++j) {
            const auto slice = batch_->column(j)->Slice(at_, rows);
            const Take copy = take_of(slice->type_id());
            if (copy == nullptr) return arrow::Status::TypeError("a batch differs from the file's schema");
            Column& column = piece[static_cast<std::size_t>(j)];
            column.name = batch_->schema()->field(j)->name();
            copy(*slice, column.values);
        }
        at_ += rows;
        return arrow::Status::OK();
    }

    std::unique_ptr<Batches> batches_;
    Batch batch_;
    std::int64_t at_ = 0;  ///< rows of batch_ that were given
};

arrow::Status describe(const arrow::Schema& schema, ArrowOpened& out) {
    for (const auto& field : schema.fields()) {
        if (take_of(field->type()->id()) == nullptr) {
            return arrow::Status::TypeError("column '", field->name(), "' has type ",
                                            field->type()->ToString(), ", which is neither number nor text");
        }
        out.columns.push_back({field->name(), type_of(field->type()->id())});
    }
    if (const auto notes = schema.metadata()) {
        for (std::int64_t i = 0; i < notes->size(); ++i) out.notes[notes->key(i)] = notes->value(i);
    }
    return arrow::Status::OK();
}

arrow::Status open_ipc(const std::shared_ptr<arrow::io::ReadableFile>& file, ArrowOpened& out) {
    auto options = arrow::ipc::IpcReadOptions::Defaults();
    options.use_threads = false;
    ARROW_ASSIGN_OR_RAISE(auto reader, arrow::ipc::RecordBatchFileReader::Open(file, options));
    ARROW_RETURN_NOT_OK(describe(*reader->schema(), out));
    ARROW_ASSIGN_OR_RAISE(const std::int64_t rows, reader->CountRows());
    out.rows = static_cast<std::size_t>(rows);
    out.reader = std::make_unique<PieceReader>(std::make_unique<IpcBatches>(std::move(reader)));
    return arrow::Status::OK();
}

/// Column chunks are read a few pages at a time, so that the size of a row group does not count.
arrow::Status open_parquet(const std::shared_ptr<arrow::io::ReadableFile>& file, ArrowOpened& out) {
    parquet::ReaderProperties properties(arrow::default_memory_pool());
    properties.enable_buffered_stream();
    parquet::arrow::FileReaderBuilder builder;
    ARROW_RETURN_NOT_OK(builder.Open(file, properties));
    parquet::ArrowReaderProperties pieces(/*use_threads=*/false);
    pieces.set_pre_buffer(false);
    const int columns = builder.raw_reader()->metadata()->num_columns();
    pieces.set_batch_size(static_cast<std::int64_t>(piece_rows(static_cast<std::size_t>(columns))));
    builder.properties(pieces);
    ARROW_ASSIGN_OR_RAISE(auto reader, builder.Build());
    std::shared_ptr<arrow::Schema> schema;
    ARROW_RETURN_NOT_OK(reader->GetSchema(&schema));
    ARROW_RETURN_NOT_OK(describe(*schema, out));
    out.rows = static_cast<std::size_t>(reader->parquet_reader()->metadata()->num_rows());
    out.reader = std::make_unique<PieceReader>(std::make_unique<ParquetBatches>(std::move(reader)));
    return arrow::Status::OK();
}

}  // namespace

void open_arrow_file(const std::string& path, TableFormat format, ArrowOpened& out) {
    out.error = words_of([&]() -> arrow::Status {
        ARROW_ASSIGN_OR_RAISE(const auto file, arrow::io::ReadableFile::Open(path));
        return format == TableFormat::kFeather ? open_ipc(file, out) : open_parquet(file, out);
    });
}

}  // namespace nightshift::jobs
