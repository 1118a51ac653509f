// Column chunks are read a few pages at a time, so that the size of a row group does not count.
#include <utility>

#include <arrow/api.h>
#include <arrow/io/api.h>
#include <parquet/arrow/reader.h>
#include <parquet/properties.h>

#include "jobs/table/arrow/batches.h"
#include "jobs/table/table.h"

namespace nightshift::jobs {
namespace {

class ParquetBatches final : public Batches {
  public:
    explicit ParquetBatches(std::unique_ptr<parquet::arrow::FileReader> file) : file_(std::move(file)) {}

    arrow::Result<std::optional<Batch>> next() override {
        if (!batches_) ARROW_RETURN_NOT_OK(rewind());
        std::shared_ptr<arrow::RecordBatch> rows;
        ARROW_RETURN_NOT_OK(batches_->ReadNext(&rows));
        if (!rows) return std::nullopt;
        ARROW_ASSIGN_OR_RAISE(Batch batch, checked_batch(*rows));
        return batch;
    }
    arrow::Status rewind() override { return file_->GetRecordBatchReader().Value(&batches_); }
    arrow::Status read(std::int64_t, std::int64_t, void*) override {
        return arrow::Status::Invalid("no column of Parquet is left in its file");
    }

  private:
    std::unique_ptr<parquet::arrow::FileReader> file_;
    std::unique_ptr<arrow::RecordBatchReader> batches_;
};

}  // namespace

arrow::Result<OpenedBatches> open_parquet(const std::string& path) {
    ARROW_ASSIGN_OR_RAISE(const auto file, arrow::io::ReadableFile::Open(path));
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
    OpenedBatches out;
    ARROW_RETURN_NOT_OK(reader->GetSchema(&out.schema));
    out.rows = reader->parquet_reader()->metadata()->num_rows();
    out.batches = std::make_unique<ParquetBatches>(std::move(reader));
    return out;
}

}  // namespace nightshift::jobs
