#include "jobs/table/csv.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>

#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {

namespace {

constexpr std::size_t kColumnsMax = 100'000;

[[noreturn]] void bad(const std::string& file, std::size_t line, const std::string& what) {
    throw JobError("bad_table", file + ":" + std::to_string(line) + ": " + what);
}

/// Splits one record off the front; quoted cells may span lines.
class CsvReader {
  public:
    CsvReader(std::string_view text, const std::string& file) : rest_(text), file_(file) {
        if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
    }

    std::size_t line() const { return record_line_; }

    /// False at the end; blank lines are skipped.
    bool next(std::vector<std::string>& cells) {
        while (!rest_.empty() && (rest_.front() == '\n' || rest_.front() == '\r')) {
            if (rest_.front() == '\n') ++line_;
            rest_.remove_prefix(1);
        }
        cells.clear();
        if (rest_.empty()) return false;
        record_line_ = line_;
        while (true) {
            cells.push_back(!rest_.empty() && rest_.front() == '"' ? quoted() : plain());
            if (cells.size() > kColumnsMax) bad(file_, line_, "more than 100000 columns");
            if (rest_.empty()) return true;
            const char stop = rest_.front();
            rest_.remove_prefix(1);
            if (stop == ',') continue;
            if (stop == '\r' && !rest_.empty() && rest_.front() == '\n') rest_.remove_prefix(1);
            ++line_;
            return true;
        }
    }

  private:
    std::string plain() {
        const std::size_t end = std::min(rest_.find_first_of(",\r\n"), rest_.size());
        std::string cell(rest_.substr(0, end));
        rest_.remove_prefix(end);
        return cell;
    }

    std::string quoted() {
        std::string cell;
        rest_.remove_prefix(1);
        while (true) {
            if (rest_.empty()) bad(file_, record_line_, "a quoted cell has no end");
            const char c = rest_.front();
            rest_.remove_prefix(1);
            if (c == '\n') ++line_;
            if (c != '"') {
                cell += c;
            } else if (!rest_.empty() && rest_.front() == '"') {
                cell += '"';
                rest_.remove_prefix(1);
            } else {
                break;
            }
        }
        if (!rest_.empty() && rest_.front() != ',' && rest_.front() != '\n' && rest_.front() != '\r') {
            bad(file_, record_line_, "text after a closing quote");
        }
        return cell;
    }

    std::string_view rest_;
    const std::string& file_;
    std::size_t line_ = 1, record_line_ = 1;
};

std::optional<double> number(const std::string& cell) {
    if (cell.empty()) return std::numeric_limits<double>::quiet_NaN();
    const std::size_t digits = cell.find_first_not_of("+-");
    if (digits != std::string::npos && cell[digits] == '0' && digits + 1 < cell.size() &&
        cell[digits + 1] >= '0' && cell[digits + 1] <= '9') {
        return std::nullopt;
    }
    const char* first = cell.data() + (cell.front() == '+' ? 1 : 0);
    const char* end = cell.data() + cell.size();
    double value = 0;
    const auto parsed = std::from_chars(first, end, value);
    if (parsed.ec == std::errc::result_out_of_range && parsed.ptr == end)
        return std::strtod(cell.c_str(), nullptr);
    if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
    return value;
}

/// A column under construction: numbers until a cell says otherwise.
struct Draft {
    std::vector<double> numbers;
    std::vector<std::string> words;
    bool is_text = false;
    bool has_value = false;

    void take(std::string cell) {
        has_value = has_value || !cell.empty();
        if (!is_text) {
            if (const auto value = number(cell)) {
                numbers.push_back(*value);
            } else {
                is_text = true;
                numbers.clear();
            }
        }
        words.push_back(std::move(cell));
    }
};

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
    CsvReader reader(text, file);
    std::vector<std::string> names, cells;
    if (!reader.next(names)) bad(file, 1, "the file is empty; the first line must name the columns");
    std::vector<Draft> drafts(names.size());
    while (reader.next(cells)) {
        if (cells.size() != names.size()) {
            bad(file, reader.line(),
                std::to_string(cells.size()) + " cells instead of " + std::to_string(names.size()));
        }
        for (std::size_t j = 0; j < cells.size(); ++j) drafts[j].take(std::move(cells[j]));
    }
    Table table;
    for (std::size_t j = 0; j < names.size(); ++j) {
        // A column without a single value cannot be told apart; empty text keeps it harmless.
        const bool is_text = drafts[j].is_text || (!drafts[j].has_value && !drafts[j].words.empty());
        try {
            if (is_text) {
                table.add(names[j], std::move(drafts[j].words));
            } else {
                table.add(names[j], std::move(drafts[j].numbers));
            }
        } catch (const JobError& error) {
            throw JobError(error.code(), file + ":1: " + error.what());
        }
    }
    return table;
}

std::string csv_text(const Table& table) {
    std::string out;
    const auto& columns = table.columns();
    for (std::size_t j = 0; j < columns.size(); ++j) {
        if (j > 0) out += ',';
        append_text(out, columns[j].name);
    }
    out += '\n';
    for (std::size_t i = 0; i < table.rows(); ++i) {
        for (std::size_t j = 0; j < columns.size(); ++j) {
            if (j > 0) out += ',';
            const Column::Values& values = columns[j].values;
            if (const auto* doubles = std::get_if<std::vector<double>>(&values)) {
                append_number(out, (*doubles)[i], 17);
            } else if (const auto* floats = std::get_if<std::vector<float>>(&values)) {
                append_number(out, static_cast<double>((*floats)[i]), 9);
            } else {
                append_text(out, std::get<std::vector<std::string>>(values)[i]);
            }
        }
        out += '\n';
    }
    return out;
}

}  // namespace nightshift::jobs
