#include "daemon/cli/table.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "daemon/cli/text.h"

namespace nightshift::cli {

namespace {

std::string dump(const nlohmann::json& object, int indent) {
    return object.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

void put(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
}

std::string id_of(const nlohmann::json& object) {
    for (const char* key : {"id", "name", "uuid"}) {
        const auto found = object.find(key);
        if (found == object.end()) continue;
        return found->is_string() ? harmless(found->get<std::string>()) : found->dump();
    }
    return {};
}

std::string csv_cell(std::string cell) {
    if (!cell.empty() && std::string_view("=+-@\t\r").find(cell.front()) != std::string_view::npos) {
        cell.insert(0, "'");
    }
    if (cell.find_first_of(",\"\n\r") == std::string::npos) return cell;
    std::string quoted = "\"";
    for (const char c : cell) {
        if (c == '"') quoted += '"';
        quoted += c;
    }
    return quoted + "\"";
}

}  // namespace

std::string to_text(const Table& table, Format format) {
    std::vector<std::size_t> shown;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        if (!table.columns[i].is_wide_only || format == Format::kWide) shown.push_back(i);
    }
    const auto cell_of = [&](const std::vector<std::string>& row, std::size_t column) {
        const std::string cell = column < row.size() ? harmless(row[column]) : std::string();
        const int width_max = table.columns[column].width_max;
        return width_max > 0 && format != Format::kWide ? shorten(cell, width_max) : cell;
    };
    std::vector<int> widths(table.columns.size(), 0);
    for (const std::size_t column : shown) {
        widths[column] = display_width(table.columns[column].title);
        for (const auto& row : table.rows) {
            widths[column] = std::max(widths[column], display_width(cell_of(row, column)));
        }
    }
    std::string text;
    const auto add_line = [&](const auto& cell) {
        std::string line;
        for (const std::size_t column : shown) {
            if (column != shown.front()) line += "  ";
            const bool is_right = table.columns[column].align == Align::kRight;
            line +=
                is_right ? pad_left(cell(column), widths[column]) : pad_right(cell(column), widths[column]);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    };
    add_line([&](std::size_t column) { return table.columns[column].title; });
    for (const auto& row : table.rows) {
        add_line([&](std::size_t column) { return cell_of(row, column); });
    }
    return text;
}

std::string to_csv(const Table& table) {
    std::string text;
    const auto add_line = [&](const auto& cell) {
        for (std::size_t i = 0; i < table.columns.size(); ++i) {
            if (i != 0) text += ',';
            text += csv_cell(cell(i));
        }
        text += "\r\n";
    };
    add_line([&](std::size_t column) { return table.columns[column].title; });
    for (const auto& row : table.rows) {
        add_line([&](std::size_t column) { return column < row.size() ? row[column] : std::string(); });
    }
    return text;
}

void print(Format format, const Table& table, const nlohmann::json& objects, const std::string& empty_text) {
    switch (format) {
        case Format::kJson:
            return put(dump(objects, 2) + "\n");
        case Format::kJsonLines:
            for (const auto& object : objects) put(dump(object, -1) + "\n");
            return;
        case Format::kId:
            for (const auto& object : objects) put(id_of(object) + "\n");
            return;
        case Format::kCsv:
            return put(to_csv(table));
        case Format::kText:
        case Format::kWide:
            put(table.rows.empty() && !empty_text.empty() ? empty_text + "\n" : to_text(table, format));
    }
}

void print_object(Format format, const nlohmann::json& object, const std::string& text) {
    switch (format) {
        case Format::kJson:
            return put(dump(object, 2) + "\n");
        case Format::kJsonLines:
            return put(dump(object, -1) + "\n");
        case Format::kId:
            return put(id_of(object) + "\n");
        case Format::kCsv:
        case Format::kText:
        case Format::kWide:
            put(text);
    }
}

}  // namespace nightshift::cli
