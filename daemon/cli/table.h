#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace nightshift::cli {

enum class Format { kText, kWide, kJson, kJsonLines, kCsv, kId };

enum class Align { kLeft, kRight };

struct Column {
    std::string title;
    Align align = Align::kLeft;
    bool is_wide_only = false;  ///< shown only by -o wide and csv
    int width_max = 0;          ///< text only: longer cells are cut; 0 = never
};

/// Rows of cells for people and spreadsheets, with the objects they came from for programs.
struct Table {
    std::vector<Column> columns;
    std::vector<std::vector<std::string>> rows;
};

/// Aligned columns, two spaces apart, no colour, no box characters; a last line without trailing space.
std::string to_text(const Table& table, Format format);

/// RFC 4180; cells that a spreadsheet would evaluate get a leading apostrophe.
std::string to_csv(const Table& table);

/// Prints `objects` in the wanted format: json as given, jsonl one a line, id the "id" or "name" of each,
/// text, wide and csv from `table`. `empty_text` is what text says when there is no row.
void print(Format format, const Table& table, const nlohmann::json& objects, const std::string& empty_text);

/// Prints one object: json formats as it is, id its id; text formats print `text`.
void print_object(Format format, const nlohmann::json& object, const std::string& text);

}  // namespace nightshift::cli
