#include "jobs/table/csv.h"

#include <cmath>
#include <cstdio>

#include "jobs/table/csv_reader.h"

namespace nightshift::jobs {

namespace {

void append_number(std::string& out, double value, int digits) {
    if (std::isnan(value)) {
        out += "nan";
    } else if (std::isinf(value)) {
        out += value > 0 ? "inf" : "-inf";
    } else {
        char text[40];
        const int bytes = std::snprintf(text, sizeof text, "%.*g", digits, value);
        out.append(text, static_cast<std::size_t>(bytes));
    }
}

void append_text(std::string& out, const std::string& cell) {
    if (cell.find_first_of(",\"\r\n") == std::string::npos) {
        out += cell;
        return;
    }
    out += '"';
    for (char c : cell) {
        if (c == '"') out += '"';
        out += c;
    }
    out += '"';
}

}  // namespace

Table parse_csv(std::string_view text, const std::string& file) {
    return rest_of(*csv_reader(csv_text_source(text), file));
}

void append_csv_head(std::string& out, std::span<const ColumnHead> columns) {
    for (std::size_t j = 0; j < columns.size(); ++j) {
        if (j > 0) out += ',';
        append_text(out, columns[j].name);
    }
    out += '\n';
}

void append_csv_row(std::string& out, std::span<const Column> columns, std::size_t row) {
    for (std::size_t j = 0; j < columns.size(); ++j) {
        if (j > 0) out += ',';
        const Column::Values& values = columns[j].values;
        if (const auto* doubles = std::get_if<std::vector<double>>(&values)) {
            append_number(out, (*doubles)[row], 17);
        } else if (const auto* floats = std::get_if<std::vector<float>>(&values)) {
            append_number(out, static_cast<double>((*floats)[row]), 9);
        } else {
            append_text(out, std::get<std::vector<std::string>>(values)[row]);
        }
    }
    out += '\n';
}

std::string csv_text(const Table& table) {
    std::string out;
    append_csv_head(out, table.heads());
    for (std::size_t row = 0; row < table.rows(); ++row) append_csv_row(out, table.columns(), row);
    return out;
}

}  // namespace nightshift::jobs
