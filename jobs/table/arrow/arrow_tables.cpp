// The Arrow side of the module boundary; nothing of Arrow leaves this file.
#include "jobs/table/arrow_module.h"

#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include <arrow/api.h>
#include <arrow/io/api.h>
#include <arrow/ipc/api.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>

namespace {

using nightshift::jobs::Column;
using nightshift::jobs::TableFormat;
using nightshift::jobs::TableParts;

template <typename Builder, typename T>
arrow::Result<std::shared_ptr<arrow::Array>> built(const std::vector<T>& values) {
    Builder builder;
    ARROW_RETURN_NOT_OK(builder.AppendValues(values));
    return builder.Finish();
}

arrow::Result<std::shared_ptr<arrow::Array>> array_of(const Column::Values& values) {
    if (const auto* doubles = std::get_if<std::vector<double>>(&values))
        return built<arrow::DoubleBuilder>(*doubles);
    if (const auto* floats = std::get_if<std::vector<float>>(&values))
        return built<arrow::FloatBuilder>(*floats);
    return built<arrow::StringBuilder>(std::get<std::vector<std::string>>(values));
}

template <typename Array>
void take_numbers(const arrow::Array& chunk, std::vector<double>& out) {
    const auto& typed = static_cast<const Array&>(chunk);
    for (std::int64_t i = 0; i < typed.length(); ++i) {
        out.push_back(typed.IsNull(i) ? std::numeric_limits<double>::quiet_NaN()
                                      : static_cast<double>(typed.Value(i)));
    }
}

template <typename Array>
void take_words(const arrow::Array& chunk, std::vector<std::string>& out) {
    const auto& typed = static_cast<const Array&>(chunk);
    for (std::int64_t i = 0; i < typed.length(); ++i)
        out.push_back(typed.IsNull(i) ? std::string() : typed.GetString(i));
}

arrow::Status number_chunk(const arrow::Array& chunk, std::vector<double>& out) {
    switch (chunk.type_id()) {
        case arrow::Type::DOUBLE:
            take_numbers<arrow::DoubleArray>(chunk, out);
            return arrow::Status::OK();
        case arrow::Type::FLOAT:
            take_numbers<arrow::FloatArray>(chunk, out);
            return arrow::Status::OK();
        case arrow::Type::INT64:
            take_numbers<arrow::Int64Array>(chunk, out);
            return arrow::Status::OK();
        case arrow::Type::INT32:
            take_numbers<arrow::Int32Array>(chunk, out);
            return arrow::Status::OK();
        case arrow::Type::INT16:
            take_numbers<arrow::Int16Array>(chunk, out);
            return arrow::Status::OK();
        case arrow::Type::INT8:
            take_numbers<arrow::Int8Array>(chunk, out);
            return arrow::Status::OK();
        case arrow::Type::UINT64:
            take_numbers<arrow::UInt64Array>(chunk, out);
            return arrow::Status::OK();
        case arrow::Type::UINT32:
            take_numbers<arrow::UInt32Array>(chunk, out);
            return arrow::Status::OK();
        case arrow::Type::UINT8:
            take_numbers<arrow::UInt8Array>(chunk, out);
            return arrow::Status::OK();
        case arrow::Type::BOOL:
            take_numbers<arrow::BooleanArray>(chunk, out);
            return arrow::Status::OK();
        default:
            return arrow::Status::TypeError("has type ", chunk.type()->ToString(),
                                            ", which is neither number nor text");
    }
}

arrow::Result<Column> column_of(const arrow::ChunkedArray& array, const std::string& name) {
    Column column;
    column.name = name;
    const arrow::Type::type type = array.type()->id();
    if (type == arrow::Type::STRING || type == arrow::Type::LARGE_STRING) {
        std::vector<std::string> words;
        for (const auto& chunk : array.chunks()) {
            if (type == arrow::Type::STRING)
                take_words<arrow::StringArray>(*chunk, words);
            else
                take_words<arrow::LargeStringArray>(*chunk, words);
        }
        column.values = std::move(words);
        return column;
    }
    std::vector<double> numbers;
    numbers.reserve(static_cast<std::size_t>(array.length()));
    for (const auto& chunk : array.chunks()) {
        const arrow::Status status = number_chunk(*chunk, numbers);
        if (!status.ok()) return status.WithMessage("column '", name, "' ", status.message());
    }
    if (type == arrow::Type::FLOAT) {
        column.values = std::vector<float>(numbers.begin(), numbers.end());
    } else {
        column.values = std::move(numbers);
    }
    return column;
}

arrow::Result<std::shared_ptr<arrow::Table>> load(const std::string& path, TableFormat format) {
    ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::ReadableFile::Open(path));
    std::shared_ptr<arrow::Table> table;
    if (format == TableFormat::kFeather) {
        ARROW_ASSIGN_OR_RAISE(auto reader, arrow::ipc::RecordBatchFileReader::Open(file));
        ARROW_ASSIGN_OR_RAISE(table, reader->ToTable());
    } else {
        ARROW_ASSIGN_OR_RAISE(auto reader, parquet::arrow::OpenFile(file, arrow::default_memory_pool()));
        ARROW_ASSIGN_OR_RAISE(table, reader->ReadTable());
    }
    // A damaged file can decode to arrays that point outside their buffers.
    ARROW_RETURN_NOT_OK(table->ValidateFull());
    return table;
}

arrow::Status read(const std::string& path, TableFormat format, TableParts& out) {
    ARROW_ASSIGN_OR_RAISE(const auto table, load(path, format));
    for (int j = 0; j < table->num_columns(); ++j) {
        ARROW_ASSIGN_OR_RAISE(auto column, column_of(*table->column(j), table->field(j)->name()));
        out.columns.push_back(std::move(column));
    }
    if (const auto notes = table->schema()->metadata()) {
        for (std::int64_t i = 0; i < notes->size(); ++i) out.notes[notes->key(i)] = notes->value(i);
    }
    return arrow::Status::OK();
}

arrow::Status write(const TableParts& parts, const std::string& path, TableFormat format) {
    std::vector<std::shared_ptr<arrow::Field>> fields;
    std::vector<std::shared_ptr<arrow::Array>> arrays;
    for (const Column& column : parts.columns) {
        ARROW_ASSIGN_OR_RAISE(auto array, array_of(column.values));
        fields.push_back(arrow::field(column.name, array->type(), false));
        arrays.push_back(std::move(array));
    }
    const auto notes = std::make_shared<arrow::KeyValueMetadata>();
    for (const auto& [key, value] : parts.notes) notes->Append(key, value);
    const auto table = arrow::Table::Make(arrow::schema(fields, notes), arrays);
    ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::FileOutputStream::Open(path));
    if (format == TableFormat::kFeather) {
        // Feather V2 is the IPC file format. Uncompressed: features do not shrink, and can be mapped.
        ARROW_ASSIGN_OR_RAISE(auto writer, arrow::ipc::MakeFileWriter(file, table->schema()));
        ARROW_RETURN_NOT_OK(writer->WriteTable(*table));
        ARROW_RETURN_NOT_OK(writer->Close());
    } else {
        const auto schema = parquet::ArrowWriterProperties::Builder().store_schema()->build();
        ARROW_RETURN_NOT_OK(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), file, 1 << 20,
                                                       parquet::default_writer_properties(), schema));
    }
    return file->Close();
}

}  // namespace

extern "C" {

int nightshift_arrow_module_version() {
    return nightshift::jobs::kArrowModuleVersion;
}

void nightshift_arrow_read(const char* path, int format, TableParts& out) {
    try {
        const arrow::Status status = read(path, static_cast<TableFormat>(format), out);
        if (!status.ok()) out.error = status.message();
    } catch (const std::exception& error) {  // Parquet throws on some damaged files
        out.error = error.what();
    }
}

void nightshift_arrow_write(const TableParts& parts, const char* path, int format, std::string& error) {
    try {
        const arrow::Status status = write(parts, path, static_cast<TableFormat>(format));
        if (!status.ok()) error = status.message();
    } catch (const std::exception& thrown) {
        error = thrown.what();
    }
}

}  // extern "C"
