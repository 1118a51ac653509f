#include <algorithm>
#include <memory>
#include <utility>

#include <arrow/api.h>

#include "jobs/table/arrow/arrow_files.h"
#include "jobs/table/arrow/batches.h"
#include "jobs/table/arrow/column_values.h"

namespace nightshift::jobs {

arrow::Result<Batch> checked_batch(const arrow::RecordBatch& rows) {
    // A damaged file can decode to arrays that point outside their buffers.
    ARROW_RETURN_NOT_OK(rows.ValidateFull());
    Batch batch{rows.schema(), rows.num_rows(), {}};
    for (const auto& values : rows.columns()) batch.columns.push_back({values, std::nullopt});
    return batch;
}

namespace {

/// Slices of batches, read or copied into columns.
class PieceReader final : public ArrowReader {
  public:
    explicit PieceReader(std::unique_ptr<Batches> batches) : batches_(std::move(batches)) {}

    std::string next(std::vector<Column>& piece) override {
        return words_of([&] { return take(piece); });
    }
    std::string rewind() override {
        return words_of([&] {
            batch_.reset();
            return batches_->rewind();
        });
    }

  private:
    arrow::Status take(std::vector<Column>& piece) {
        while (!batch_ || at_ == batch_->rows) {
            batch_.reset();  // not beside the next one
            ARROW_ASSIGN_OR_RAISE(batch_, batches_->next());
            if (!batch_) {
                piece.clear();
                return arrow::Status::OK();
            }
            at_ = 0;
        }
        const std::size_t columns = batch_->columns.size();
        const std::int64_t rows =
            std::min(batch_->rows - at_, static_cast<std::int64_t>(piece_rows(columns)));
        piece.resize(columns);
        for (std::size_t j = 0; j < columns; ++j) {
            piece[j].name = batch_->schema->field(static_cast<int>(j))->name();
            ARROW_RETURN_NOT_OK(fill(batch_->columns[j], rows, piece[j].values));
        }
        at_ += rows;
        return arrow::Status::OK();
    }

    arrow::Status fill(const BatchColumn& from, std::int64_t rows, Column::Values& to) {
        const arrow::Type::type type = from.values->type_id();
        if (from.position) {
            return type == arrow::Type::DOUBLE ? read<double>(*from.position, rows, to)
                                               : read<float>(*from.position, rows, to);
        }
        const CopyValues copy = copy_of(type);
        if (copy == nullptr) return arrow::Status::TypeError("a batch differs from the file's schema");
        copy(*from.values->Slice(at_, rows), to);
        return arrow::Status::OK();
    }

    template <typename T>
    arrow::Status read(std::int64_t position, std::int64_t rows, Column::Values& to) {
        auto* list = std::get_if<std::vector<T>>(&to);
        if (list == nullptr) list = &to.emplace<std::vector<T>>();
        list->resize(static_cast<std::size_t>(rows));  // where it was as long nothing is set to zero
        constexpr auto kWidth = static_cast<std::int64_t>(sizeof(T));
        return batches_->read(position + at_ * kWidth, rows * kWidth, list->data());
    }

    std::unique_ptr<Batches> batches_;
    std::optional<Batch> batch_;
    std::int64_t at_ = 0;  ///< rows of batch_ that were given
};

arrow::Status describe(const arrow::Schema& schema, ArrowOpened& out) {
    for (const auto& field : schema.fields()) {
        if (copy_of(field->type()->id()) == nullptr) {
            return arrow::Status::TypeError("column '", field->name(), "' has type ",
                                            field->type()->ToString(), ", which is neither number nor text");
        }
        out.columns.push_back({field->name(), column_type_of(field->type()->id())});
    }
    if (const auto notes = schema.metadata()) {
        for (std::int64_t i = 0; i < notes->size(); ++i) out.notes[notes->key(i)] = notes->value(i);
    }
    return arrow::Status::OK();
}

}  // namespace

void open_arrow_file(const std::string& path, TableFormat format, ArrowOpened& out) {
    out.error = words_of([&]() -> arrow::Status {
        ARROW_ASSIGN_OR_RAISE(OpenedBatches opened,
                              format == TableFormat::kFeather ? open_ipc(path) : open_parquet(path));
        ARROW_RETURN_NOT_OK(describe(*opened.schema, out));
        out.rows = static_cast<std::size_t>(opened.rows);
        out.reader = std::make_unique<PieceReader>(std::move(opened.batches));
        return arrow::Status::OK();
    });
}

}  // namespace nightshift::jobs
