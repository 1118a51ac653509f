#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "jobs/runtime/scratch_file.h"

namespace nightshift::jobs {

/// How many bytes of rows stay in memory, and where the others go.
struct RowRoom {
    std::size_t memory_bytes = 0;
    std::filesystem::path folder;  ///< empty: all rows stay in memory, however many
};

/// A matrix of rows [rows, columns], filled once from its beginning, then read. Up to `room.memory_bytes` it
/// lies in memory; what is longer lies as a whole in a file without a name, so that a table of any length
/// takes the same memory. T is float or double. append() by one thread; reading by any afterwards.
/// Throws what ScratchFile throws.
template <typename T>
class RowStore {
  public:
    RowStore() = default;
    explicit RowStore(std::int64_t columns, RowRoom room = {}) : columns_(columns), room_(std::move(room)) {}
    /// Rows that are in memory already: values [rows, columns].
    RowStore(std::int64_t columns, std::vector<T> values);

    /// Whole rows, [any, columns].
    void append(std::span<const T> values);

    std::int64_t rows() const { return rows_; }
    std::int64_t columns() const { return columns_; }
    bool is_in_memory() const { return !file_; }

    /// out [any, columns]: the rows from `first` on, which have to be there.
    void read(std::int64_t first, std::span<T> out) const;
    /// out [which, columns]: those rows, in that order. Neighbours are read together.
    void gather(std::span<const std::int64_t> which, std::span<T> out) const;
    /// SHA-256 of all of them, found at the first call. One thread.
    const std::string& hash() const;
    /// All rows. Beyond memory's share the system decides how much of them it holds at a time.
    std::span<const T> all() const;

  private:
    std::int64_t columns_ = 0, rows_ = 0;
    RowRoom room_;
    std::vector<T> memory_;
    std::optional<ScratchFile> file_;
    mutable std::string hash_;
};

/// Rows that training loops share and nobody changes.
using SharedRows = std::shared_ptr<const RowStore<float>>;
/// values [rows, columns], in memory.
SharedRows shared_rows(std::int64_t columns, std::vector<float> values);

extern template class RowStore<float>;
extern template class RowStore<double>;

}  // namespace nightshift::jobs
