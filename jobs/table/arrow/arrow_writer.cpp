#include <memory>
#include <utility>

#include <arrow/api.h>
#include <arrow/io/api.h>
#include <arrow/ipc/api.h>
#include <parquet/arrow/writer.h>

#include "jobs/table/arrow/arrow_files.h"
#include "jobs/table/arrow/gathered_file.h"

namespace nightshift::jobs {
namespace {

using Arrays = std::vector<std::shared_ptr<arrow::Array>>;

/// Numbers stay where they are: the array must not outlive them.
template <typename Array, typename T>
std::shared_ptr<arrow::Array> view_of(const std::vector<T>& values) {
    return std::make_shared<Array>(static_cast<std::int64_t>(values.size()), arrow::Buffer::Wrap(values));
}

arrow::Result<std::shared_ptr<arrow::Array>> array_of(const Column::Values& values) {
    if (const auto* doubles = std::get_if<std::vector<double>>(&values))
        return view_of<arrow::DoubleArray>(*doubles);
    if (const auto* floats = std::get_if<std::vector<float>>(&values))
        return view_of<arrow::FloatArray>(*floats);
    arrow::StringBuilder builder;
    ARROW_RETURN_NOT_OK(builder.AppendValues(std::get<std::vector<std::string>>(values)));
    return builder.Finish();
}

std::shared_ptr<arrow::DataType> type_of(ColumnHead::Type type) {
    if (type == ColumnHead::Type::kText) return arrow::utf8();
    return type == ColumnHead::Type::kFloat ? arrow::float32() : arrow::float64();
}

std::shared_ptr<arrow::Schema> schema_of(const std::vector<ColumnHead>& columns,
                                         const std::map<std::string, std::string>& notes) {
    std::vector<std::shared_ptr<arrow::Field>> fields;
    for (const ColumnHead& head : columns)
        fields.push_back(arrow::field(head.name, type_of(head.type), false));
    const auto metadata = std::make_shared<arrow::KeyValueMetadata>();
    for (const auto& [key, value] : notes) metadata->Append(key, value);
    return arrow::schema(std::move(fields), metadata);
}

class FileWriter final : public ArrowWriter {
  public:
    arrow::Status open(const std::string& path, TableFormat format, const std::vector<ColumnHead>& columns,
                       const std::map<std::string, std::string>& notes, ByteListener* listener) {
        schema_ = schema_of(columns, notes);
        ARROW_ASSIGN_OR_RAISE(file_, GatheredFile::open(path, listener));
        // Feather V2 is the IPC file format. Uncompressed: features do not shrink, and can be mapped.
        if (format == TableFormat::kFeather) return arrow::ipc::MakeFileWriter(file_, schema_).Value(&ipc_);
        return parquet::arrow::FileWriter::Open(
                   *schema_, arrow::default_memory_pool(), file_, parquet::default_writer_properties(),
                   parquet::ArrowWriterProperties::Builder().store_schema()->build())
            .Value(&parquet_);
    }

    std::string write(const std::vector<Column>& rows) override {
        return words_of([&] { return put(rows); });
    }

    std::string close() override {
        return words_of([&]() -> arrow::Status {
            ARROW_RETURN_NOT_OK(ipc_ ? ipc_->Close() : parquet_->Close());
            return file_->Close();
        });
    }

  private:
    arrow::Status put(const std::vector<Column>& rows) {
        Arrays arrays;
        for (const Column& column : rows) {
            ARROW_ASSIGN_OR_RAISE(auto array, array_of(column.values));
            arrays.push_back(std::move(array));
        }
        const std::int64_t count = arrays.front()->length();
        if (ipc_) {
            ARROW_RETURN_NOT_OK(ipc_->WriteRecordBatch(*arrow::RecordBatch::Make(schema_, count, arrays)));
            return file_->Flush();  // the arrays are those of the caller
        }
        return parquet_->WriteTable(*arrow::Table::Make(schema_, arrays), count);
    }

    std::shared_ptr<arrow::Schema> schema_;
    std::shared_ptr<GatheredFile> file_;
    std::shared_ptr<arrow::ipc::RecordBatchWriter> ipc_;
    std::unique_ptr<parquet::arrow::FileWriter> parquet_;
};

}  // namespace

void create_arrow_file(const std::string& path, TableFormat format, const std::vector<ColumnHead>& columns,
                       const std::map<std::string, std::string>& notes, ByteListener* listener,
                       ArrowCreated& out) {
    out.error = words_of([&] {
        auto writer = std::make_unique<FileWriter>();
        const arrow::Status status = writer->open(path, format, columns, notes, listener);
        out.writer = std::move(writer);
        return status;
    });
}

}  // namespace nightshift::jobs
