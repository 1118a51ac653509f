#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

namespace nightshift::jobs {

/// A column of a batch: values in memory, or doubles or floats without nulls that are still in the file.
struct BatchColumn {
    std::shared_ptr<arrow::Array> values;  ///< where `position` is given only its type and length count
    std::optional<std::int64_t> position;  ///< of the first value, in bytes from the file's start
};

/// Rows of a file that lie together in it. What is in memory was checked: nothing points outside its buffers.
struct Batch {
    std::shared_ptr<arrow::Schema> schema;
    std::int64_t rows = 0;
    std::vector<BatchColumn> columns;
};

/// Batches of a file, one after another. One thread at a time.
class Batches {
  public:
    virtual ~Batches() = default;
    /// Nothing at the end. The batch before must not be used any more.
    virtual arrow::Result<std::optional<Batch>> next() = 0;
    virtual arrow::Status rewind() = 0;
    /// Bytes of a column that is still in the file.
    virtual arrow::Status read(std::int64_t position, std::int64_t bytes, void* out) = 0;
};

struct OpenedBatches {
    std::unique_ptr<Batches> batches;
    std::shared_ptr<arrow::Schema> schema;
    std::int64_t rows = 0;
};

/// A batch whose columns are in memory, checked.
arrow::Result<Batch> checked_batch(const arrow::RecordBatch& rows);

/// Feather V2, which is the IPC file format.
arrow::Result<OpenedBatches> open_ipc(const std::string& path);
arrow::Result<OpenedBatches> open_parquet(const std::string& path);

}  // namespace nightshift::jobs
