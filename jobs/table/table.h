#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
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

/// A column without its values.
struct ColumnHead {
    enum class Type : std::uint8_t { kDouble, kFloat, kText };  ///< in the order of Column::Values
    std::string name;
    Type type = Type::kDouble;

    bool operator==(const ColumnHead&) const = default;
};

/// A column of that name and type with no rows.
Column column_without_values(const ColumnHead& head);
/// Throws JobError("bad_table") where two columns have one name.
void require_unique(const std::vector<ColumnHead>& columns);

/// Large tables are read and written in pieces of this many rows, fewer where they are very wide.
inline constexpr std::size_t kPieceRows = 16'384, kPieceCells = std::size_t{2} << 20;
inline std::size_t piece_rows(std::size_t columns) {
    return std::clamp<std::size_t>(kPieceCells / std::max<std::size_t>(columns, 1), 1, kPieceRows);
}

/// Columns of equal length, in order, with unique names. A plain value: copy it, move it, read it from
/// any thread while nobody writes.
class Table {
  public:
    Table() = default;
    /// Throws as add() does.
    explicit Table(std::vector<Column> columns);

    /// Throws JobError("bad_table") on a second column of that name or another length.
    void add(std::string name, Column::Values values);

    std::size_t rows() const { return rows_; }
    const std::vector<Column>& columns() const { return columns_; }
    std::vector<ColumnHead> heads() const;
    /// The columns themselves; what is left of the table is empty.
    std::vector<Column> release();
    const Column* find(std::string_view name) const;  ///< nullptr if there is none
    /// Names of the columns with numbers, in order.
    std::vector<std::string> numeric_names() const;

    /// A numeric column as doubles (floats widened). Throws JobError("no_such_column") naming the nearest
    /// one, or "not_a_number" for text.
    std::vector<double> numbers(std::string_view name) const;
    /// A column as text; numbers are written with as many digits as they need to be read back.
    std::vector<std::string> text(std::string_view name) const;
    /// Columns of numbers, as long as the table is as it is. Throws as numbers() does.
    std::vector<const Column*> number_columns(const std::vector<std::string>& names) const;
    /// Row-major matrix rows() x names.size(). Throws as numbers() does.
    std::vector<double> matrix(const std::vector<std::string>& names) const;

    /// Key-value notes kept by Feather and Parquet (CSV drops them).
    std::map<std::string, std::string> notes;

  private:
    std::vector<Column> columns_;
    std::size_t rows_ = 0;
};

/// Rows that turn_rows() is best asked for together: they stay in a near cache.
inline constexpr std::size_t kRowsTurned = 64;
/// Rows `first` to `first + rows` of columns of numbers, row-major [rows, columns], to `out`.
void turn_rows(std::span<const Column* const> columns, std::size_t first, std::size_t rows, double* out);

/// The columns, and nothing in them. Throws as Table::add() does.
Table table_without_rows(const std::vector<ColumnHead>& columns);

enum class TableFormat { kCsv, kFeather, kParquet };

/// "csv", "feather", "parquet"; throws JobError("bad_param") for another word.
TableFormat table_format(std::string_view word);
/// By the file's ending; throws JobError("bad_table") naming the three it may be.
TableFormat table_format_of(const std::filesystem::path& path);
std::string_view extension(TableFormat format);  ///< ".csv", ".feather", ".parquet"
/// False where this build has no Arrow: CSV still works, the others throw "no_arrow" with the remedy.
bool table_format_available(TableFormat format);

/// `<file>.sha256`, which lies beside a table.
std::filesystem::path hash_file_of(const std::filesystem::path& path);

/// Reads a whole table, as TableReader does; a CSV of at most 4 GiB ("file_too_large").
Table read_table(const std::filesystem::path& path);

/// Writes a whole table, as TableWriter does.
void write_table(const Table& table, const std::filesystem::path& path, TableFormat format);

}  // namespace nightshift::jobs
