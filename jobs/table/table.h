#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace nightshift::jobs {

/// One named column. Doubles and floats keep their width in Feather and Parquet; NaN = missing.
struct Column {
    using Values = std::variant<std::vector<double>, std::vector<float>, std::vector<std::string>>;
    std::string name;
    Values values;

    bool is_text() const { return std::holds_alternative<std::vector<std::string>>(values); }
    std::size_t size() const;
};

/// Columns of equal length, in order, with unique names. A plain value: copy it, move it, read it from
/// any thread while nobody writes.
class Table {
  public:
    /// Throws JobError("bad_table") on a second column of that name or another length.
    void add(std::string name, Column::Values values);

    std::size_t rows() const { return rows_; }
    const std::vector<Column>& columns() const { return columns_; }
    const Column* find(std::string_view name) const;   ///< nullptr if there is none
    /// Names of the columns with numbers, in order.
    std::vector<std::string> numeric_names() const;

    /// A numeric column as doubles (floats widened). Throws JobError("no_such_column") naming the nearest
    /// one, or "not_a_number" for text.
    std::vector<double> numbers(std::string_view name) const;
    /// A column as text; numbers are written with as many digits as they need to be read back.
    std::vector<std::string> text(std::string_view name) const;
    /// Row-major matrix rows() x names.size().
    std::vector<double> matrix(const std::vector<std::string>& names) const;

    /// Key-value notes kept by Feather and Parquet (CSV drops them).
    std::map<std::string, std::string> notes;

  private:
    std::vector<Column> columns_;
    std::size_t rows_ = 0;
};

enum class TableFormat { kCsv, kFeather, kParquet };

/// "csv", "feather", "parquet"; throws JobError("bad_param") for another word.
TableFormat table_format(std::string_view word);
/// By the file's ending; throws JobError("bad_table") naming the three it may be.
TableFormat table_format_of(const std::filesystem::path& path);
std::string_view extension(TableFormat format);   ///< ".csv", ".feather", ".parquet"
/// False where this build has no Arrow: CSV still works, the others throw "no_arrow" with the remedy.
bool table_format_available(TableFormat format);

/// Reads a whole table. A column whose cells are all numbers (or empty, nan, inf) is double, else text.
/// Where a `<file>.sha256` lies beside the file, the bytes are checked against it first.
/// Throws JobError: no_such_input, hash_mismatch (both hashes named), bad_table (line named), no_arrow.
Table read_table(const std::filesystem::path& path);

/// Writes to a temporary name, syncs, renames; then `<file>.sha256` in the format of sha256sum.
/// CSV: doubles with 17 significant digits, floats with 9, LF, `nan`, `inf`.
void write_table(const Table& table, const std::filesystem::path& path, TableFormat format);

}  // namespace nightshift::jobs
