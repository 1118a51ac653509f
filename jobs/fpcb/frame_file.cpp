#include "jobs/fpcb/frame_file.h"

#include <charconv>
#include <cstddef>

#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {

namespace {

constexpr std::string_view kHeader = "# x,y,index";
constexpr std::size_t kRowBytes = 8;   ///< of a short row, to make room by
constexpr std::size_t kShownMax = 60;  ///< characters of a bad line that a message repeats

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlank = " \t\r\f\v";
    const std::size_t first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::string shown(std::string_view line) {
    std::string out;
    for (char c : line.substr(0, kShownMax))
        out += (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) ? '?' : c;
    if (line.size() > kShownMax) out += "...";
    return out;
}

[[noreturn]] void bad(const std::string& file, int line, const std::string& what) {
    throw JobError("bad_bundle", file + ":" + std::to_string(line) + ": " + what);
}

std::optional<std::int32_t> integer(std::string_view cell) {
    cell = trimmed(cell);
    if (!cell.empty() && cell.front() == '+') {
        cell.remove_prefix(1);
        if (cell.empty() || !is_digit(cell.front())) return std::nullopt;
    }
    std::int32_t value = 0;
    const auto [end, code] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    if (code != std::errc() || end != cell.data() + cell.size()) return std::nullopt;
    return value;
}

bool is_coordinate(std::int32_t value) {
    return value >= INT16_MIN && value <= INT16_MAX;
}

FrameRow parse_row(std::string_view text, const std::string& file, int line) {
    std::int32_t cells[3];
    std::string_view rest = text;
    for (int i = 0; i < 3; ++i) {
        const std::size_t comma = rest.find(',');
        const bool is_last = i == 2;
        const auto value = integer(rest.substr(0, comma));
        if (!value || is_last != (comma == std::string_view::npos)) {
            bad(file, line, "a row must be three integers x,y,index; found '" + shown(text) + "'");
        }
        cells[i] = *value;
        if (!is_last) rest.remove_prefix(comma + 1);
    }
    for (int i = 0; i < 2; ++i) {
        if (!is_coordinate(cells[i])) {
            bad(file, line, "coordinate " + std::to_string(cells[i]) + " is outside -32768..32767 pixels");
        }
    }
    return {cells[0], cells[1], cells[2], line};
}

/// Nine digits fit into an int32 whatever they are.
constexpr int kPlainDigitsMax = 9;

/// An integer of a minus sign and digits alone, and the character behind it, which is taken off, too.
bool take_plain(const char*& at, const char* end, char behind, std::int32_t& value) {
    const bool is_negative = at != end && *at == '-';
    if (is_negative) ++at;
    const char* const first = at;
    value = 0;
    while (at != end && is_digit(*at) && at - first < kPlainDigitsMax) value = value * 10 + (*at++ - '0');
    if (is_negative) value = -value;
    return at != first && at != end && *at++ == behind;
}

/// The row at the front of `text`, taken off with its line feed, if it is written as every generator writes
/// it; what is written otherwise, or wrong, is left to parse_row.
bool take_plain_row(std::string_view& text, FrameRow& row) {
    const char *at = text.data(), *const end = text.data() + text.size();
    const bool is_plain = take_plain(at, end, ',', row.x) && take_plain(at, end, ',', row.y) &&
                          take_plain(at, end, '\n', row.index) && is_coordinate(row.x) &&
                          is_coordinate(row.y);
    if (is_plain) text.remove_prefix(static_cast<std::size_t>(at - text.data()));
    return is_plain;
}

}  // namespace

std::vector<FrameRow> parse_frame(std::string_view text, const std::string& file) {
    std::vector<FrameRow> rows;
    rows.reserve(text.size() / kRowBytes);
    int line = 0;
    while (!text.empty() || line == 0) {
        FrameRow plain{0, 0, 0, line + 1};
        if (line > 0 && take_plain_row(text, plain)) {
            rows.push_back(plain);
            ++line;
            continue;
        }
        const std::size_t end = text.find('\n');
        std::string_view row = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        ++line;
        if (line == 1) {
            if (!row.empty() && row.back() == '\r') row.remove_suffix(1);
            if (row != kHeader)
                bad(file, 1, "the first line must be '# x,y,index'; found '" + shown(row) + "'");
            continue;
        }
        if (trimmed(row).empty()) continue;
        rows.push_back(parse_row(row, file, line));
    }
    if (rows.empty()) bad(file, line, "the frame has no points");
    return rows;
}

std::optional<int> frame_number_of(const std::filesystem::path& file) {
    constexpr std::size_t kDigitsMax = 9;
    const std::string name = file.filename().string(), stem = file.stem().string();
    for (std::size_t at = name.find("000"); at != std::string::npos; at = name.find("000", at + 1)) {
        std::size_t end = at + 3;
        while (end < name.size() && end < at + 6 && is_digit(name[end])) ++end;
        if (end >= at + 5) return std::stoi(name.substr(at, end - at));
    }
    std::string digits;
    for (char c : stem) {
        if (is_digit(c)) digits += c;
    }
    if (digits.empty()) return std::nullopt;
    const std::size_t first = std::min(digits.find_first_not_of('0'), digits.size() - 1);
    if (digits.size() - first > kDigitsMax) {
        throw JobError("bad_bundle", file.string() + ": its name gives the frame number " + digits +
                                         ", which is too large");
    }
    return std::stoi(digits.substr(first));
}

}  // namespace nightshift::jobs
