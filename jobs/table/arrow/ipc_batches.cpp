// Record batches of which numbers stay in the file until a piece of them is wanted.
#include <utility>

#include <arrow/api.h>
#include <arrow/ipc/api.h>

#include "jobs/table/arrow/batches.h"
#include "jobs/table/arrow/lazy_file.h"

namespace nightshift::jobs {
namespace {

std::int64_t number_bytes(arrow::Type::type type) {
    if (type == arrow::Type::DOUBLE) return sizeof(double);
    return type == arrow::Type::FLOAT ? sizeof(float) : 0;
}

class IpcBatches final : public Batches {
  public:
    IpcBatches(std::shared_ptr<LazyFile> file, std::shared_ptr<arrow::ipc::RecordBatchFileReader> reader)
        : file_(std::move(file)), reader_(std::move(reader)) {}

    arrow::Result<std::optional<Batch>> next() override {
        if (at_ == reader_->num_record_batches()) return std::nullopt;
        const int index = at_++;
        ARROW_ASSIGN_OR_RAISE(std::optional<Batch> batch, lazily(index));
        if (batch) return batch;
        ARROW_ASSIGN_OR_RAISE(const auto rows, reader_->ReadRecordBatch(index));
        ARROW_ASSIGN_OR_RAISE(batch, checked_batch(*rows));
        return batch;
    }
    arrow::Status rewind() override {
        at_ = 0;
        return arrow::Status::OK();
    }
    arrow::Status read(std::int64_t position, std::int64_t bytes, void* out) override {
        return file_->read(position, bytes, out);
    }

  private:
    /// Nothing for a batch that has to be read whole: it is compressed, of another byte order, or damaged,
    /// which reading it whole tells.
    arrow::Result<std::optional<Batch>> lazily(int index) {
        const auto read = file_->without_bodies([&] { return reader_->ReadRecordBatch(index); });
        if (!read.ok() || !(*read)->Validate().ok()) return std::nullopt;
        const arrow::RecordBatch& rows = **read;
        Batch batch{rows.schema(), rows.num_rows(), {}};
        for (const auto& values : rows.columns()) {
            std::optional<BatchColumn> column = left_in_file(values);
            if (!column) {
                ARROW_ASSIGN_OR_RAISE(column, filled(*values));
            }
            if (!column) return std::nullopt;
            batch.columns.push_back(*std::move(column));
        }
        return batch;
    }

    std::optional<BatchColumn> left_in_file(const std::shared_ptr<arrow::Array>& values) const {
        const arrow::ArrayData& data = *values->data();
        const std::int64_t width = number_bytes(values->type_id());
        if (width == 0 || data.buffers.size() != 2 || data.buffers[0] || !data.buffers[1] ||
            data.offset != 0 || data.buffers[1]->size() / width < data.length)
            return std::nullopt;
        const auto position = file_->place_of(*data.buffers[1]);
        if (!position) return std::nullopt;
        return BatchColumn{values, position};
    }

    /// The column with its bytes, checked; nothing where they are not those of the file.
    arrow::Result<std::optional<BatchColumn>> filled(const arrow::Array& hollow) const {
        const auto data = hollow.data()->Copy();
        for (std::shared_ptr<arrow::Buffer>& buffer : data->buffers) {
            if (!buffer || buffer->size() == 0) continue;
            const auto position = file_->place_of(*buffer);
            if (!position) return std::nullopt;
            ARROW_ASSIGN_OR_RAISE(const std::shared_ptr<arrow::Buffer> bytes,
                                  arrow::AllocateBuffer(buffer->size()));
            ARROW_RETURN_NOT_OK(file_->read(*position, bytes->size(), bytes->mutable_data()));
            buffer = bytes;
        }
        auto values = arrow::MakeArray(data);
        ARROW_RETURN_NOT_OK(values->ValidateFull());
        return BatchColumn{std::move(values), std::nullopt};
    }

    std::shared_ptr<LazyFile> file_;
    std::shared_ptr<arrow::ipc::RecordBatchFileReader> reader_;
    int at_ = 0;
};

}  // namespace

arrow::Result<OpenedBatches> open_ipc(const std::string& path) {
    ARROW_ASSIGN_OR_RAISE(const auto file, LazyFile::open(path));
    auto options = arrow::ipc::IpcReadOptions::Defaults();
    options.use_threads = false;
    ARROW_ASSIGN_OR_RAISE(const auto reader, arrow::ipc::RecordBatchFileReader::Open(file, options));
    OpenedBatches out;
    out.schema = reader->schema();
    // Heads say how many; with their bodies the whole file would be read once more.
    ARROW_ASSIGN_OR_RAISE(out.rows, file->without_bodies([&] { return reader->CountRows(); }));
    out.batches = std::make_unique<IpcBatches>(file, reader);
    return out;
}

}  // namespace nightshift::jobs
