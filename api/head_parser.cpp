#include "api/head_parser.h"

#include <algorithm>

namespace nightshift::api {
namespace {

/// RFC 9110 5.6.2: characters of a method or a field name.
bool is_token_char(char c) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
    return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// Characters of a request target: RFC 3986, without the ones that only break things.
bool is_target_char(char c) {
    if (c <= ' ' || c >= 0x7f) return false;
    return std::string_view("\"<>\\^`{|}#").find(c) == std::string_view::npos;
}

HeadRefusal bad_framing(std::string detail) {
    return {400, "bad_framing", std::move(detail)};
}
HeadRefusal bad_line(std::string detail) {
    return {400, "bad_request_line", std::move(detail)};
}

std::optional<HeadRefusal> parse_target(std::string_view target, RequestHead& head) {
    if (target.size() > kTargetBytesMax) {
        return HeadRefusal{414, "target_too_long", "The address is longer than 4 KiB."};
    }
    if (target.empty() || target.front() != '/') {
        return bad_line("Only addresses that start with / are taken (no absolute form, no *).");
    }
    if (!std::all_of(target.begin(), target.end(), is_target_char)) {
        return bad_line("The address has a byte that must be percent-encoded.");
    }
    head.target = std::string(target);
    const std::size_t mark = target.find('?');
    head.path = std::string(target.substr(0, mark));
    if (mark != std::string_view::npos) head.query = std::string(target.substr(mark + 1));
    std::vector<std::string> segments;
    if (!split_path(head.path, segments)) {
        return bad_line("The path has an empty, dotted or badly encoded part.");
    }
    NamedValues values;
    if (!split_query(head.query, values)) return bad_line("The query part is badly encoded.");
    return std::nullopt;
}

std::optional<HeadRefusal> parse_request_line(std::string_view line, RequestHead& head) {
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    if (first == std::string_view::npos || first == last)
        return bad_line("The request line has not three parts.");
    const std::string_view method = line.substr(0, first);
    const std::string_view target = line.substr(first + 1, last - first - 1);
    const std::string_view version = line.substr(last + 1);
    if (!is_token(method) || method.size() > 32) return bad_line("The method is no word.");
    if (version == "HTTP/1.1") {
        head.minor_version = 1;
    } else if (version == "HTTP/1.0") {
        head.minor_version = 0;
    } else {
        return bad_line("Only HTTP/1.1 and HTTP/1.0 are spoken here.");
    }
    head.method_text = std::string(method);
    head.method = parse_method(method);
    return parse_target(target, head);
}

std::optional<HeadRefusal> parse_field(std::string_view line, RequestHead& head) {
    if (line.front() == ' ' || line.front() == '\t') return bad_framing("A header line is folded.");
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return bad_framing("A header line has no colon.");
    if (!is_token(line.substr(0, colon)))
        return bad_framing("A header name has a character that is not allowed.");
    const std::string_view value = trim(line.substr(colon + 1));
    const auto is_bad = [](char c) { return (c < ' ' && c != '\t') || c >= 0x7f || c < 0; };
    if (std::any_of(value.begin(), value.end(), is_bad)) {
        return bad_framing("A header value has a control or non-ASCII byte.");
    }
    if (head.fields.size() == kHeadFieldsMax) {
        return HeadRefusal{431, "headers_too_large", "There are more than 64 header lines."};
    }
    head.fields.push_back({lower(line.substr(0, colon)), std::string(value)});
    return std::nullopt;
}

std::optional<HeadRefusal> judge_content_length(RequestHead& head) {
    int lengths = 0;
    for (const Field& field : head.fields) {
        if (field.name != "content-length") continue;
        if (++lengths > 1) return bad_framing("Content-Length is given twice.");
        const std::string& text = field.value;
        const bool is_number =
            !text.empty() && text.size() <= 15 &&
            std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
        if (!is_number) return bad_framing("Content-Length is no plain number.");
        head.content_length = std::stoull(text);
    }
    return std::nullopt;
}

std::optional<HeadRefusal> judge_framing(RequestHead& head) {
    int hosts = 0;
    int encodings = 0;
    for (const Field& field : head.fields) {
        if (field.name == "host") ++hosts;
        if (field.name != "transfer-encoding") continue;
        if (++encodings > 1 || lower(field.value) != "chunked") {
            return bad_framing("Transfer-Encoding may only be exactly \"chunked\".");
        }
        head.is_chunked = true;
    }
    if (hosts > 1) return bad_framing("There is more than one Host line.");
    if (auto refusal = judge_content_length(head)) return refusal;
    if (head.is_chunked && head.content_length)
        return bad_framing("Transfer-Encoding stands beside Content-Length.");
    if (head.minor_version == 0 && head.has_body()) return bad_framing("A body needs HTTP/1.1.");
    return std::nullopt;
}

}  // namespace

std::variant<std::monostate, std::size_t, HeadRefusal> find_head_end(std::string_view bytes,
                                                                     std::size_t& checked) {
    for (; checked < bytes.size(); ++checked) {
        const char c = bytes[checked];
        if (c == '\0') return bad_framing("The head has a NUL byte.");
        const bool is_after_cr = checked > 0 && bytes[checked - 1] == '\r';
        if (c == '\n' && !is_after_cr) return bad_framing("A line ends without CR.");
        if (c != '\n' && is_after_cr) return bad_framing("A CR stands alone.");
        if (checked >= kHeadBytesMax) break;
        if (c == '\n' && checked >= 3 && bytes.substr(checked - 3, 4) == "\r\n\r\n") return ++checked;
    }
    if (bytes.size() <= kHeadBytesMax && checked < kHeadBytesMax) return std::monostate{};
    const std::string_view first_line = bytes.substr(0, bytes.find('\r'));
    if (first_line.size() > kTargetBytesMax + 64) {
        return HeadRefusal{414, "target_too_long", "The address is longer than 4 KiB."};
    }
    return HeadRefusal{431, "headers_too_large", "The header lines are longer than 16 KiB together."};
}

std::variant<RequestHead, HeadRefusal> parse_head(std::string_view head_bytes) {
    RequestHead head;
    std::size_t start = 0;
    bool is_first = true;
    for (;;) {
        const std::size_t end = head_bytes.find("\r\n", start);
        if (end == std::string_view::npos) return bad_framing("The head does not end.");
        const std::string_view line = head_bytes.substr(start, end - start);
        start = end + 2;
        if (line.empty()) break;
        auto refusal = is_first ? parse_request_line(line, head) : parse_field(line, head);
        if (refusal) return *refusal;
        is_first = false;
    }
    if (is_first) return bad_line("The request line is missing.");
    if (auto refusal = judge_framing(head)) return *refusal;
    return head;
}

std::optional<std::string> decode_query_part(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+') {
            out += ' ';
        } else if (text[i] != '%') {
            out += text[i];
        } else {
            if (i + 2 >= text.size()) return std::nullopt;
            const int high = hex_digit(text[i + 1]);
            const int low = hex_digit(text[i + 2]);
            if (high < 0 || low < 0) return std::nullopt;
            const int byte = high * 16 + low;
            if (byte < 0x20 || byte == 0x7f) return std::nullopt;
            out += static_cast<char>(byte);
            i += 2;
        }
    }
    return out;
}

std::optional<std::string> decode_path_segment(std::string_view text) {
    std::string literal_plus;
    for (char c : text) literal_plus += c == '+' ? std::string("%2B") : std::string(1, c);
    auto decoded = decode_query_part(literal_plus);
    if (!decoded) return std::nullopt;
    // A slash can only have come from %2F: segments are split before they are decoded.
    if (decoded->find_first_of("/\\") != std::string::npos) return std::nullopt;
    return decoded;
}

bool split_path(std::string_view path, std::vector<std::string>& segments) {
    segments.clear();
    if (path.empty() || path.front() != '/') return false;
    if (path == "/") return true;
    std::size_t start = 1;
    for (;;) {
        const std::size_t end = path.find('/', start);
        auto decoded =
            decode_path_segment(path.substr(start, end == std::string_view::npos ? end : end - start));
        const bool is_last = end == std::string_view::npos;
        if (!decoded || (decoded->empty() && !is_last) || *decoded == "." || *decoded == "..") return false;
        segments.push_back(std::move(*decoded));
        if (is_last) return true;
        start = end + 1;
    }
}

bool split_query(std::string_view query, NamedValues& values) {
    values.clear();
    while (!query.empty()) {
        const std::size_t end = query.find('&');
        const std::string_view part = query.substr(0, end);
        query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
        if (part.empty()) continue;
        const std::size_t equals = part.find('=');
        auto name = decode_query_part(part.substr(0, equals));
        auto value = decode_query_part(equals == std::string_view::npos ? "" : part.substr(equals + 1));
        if (!name || !value) return false;
        values.emplace_back(std::move(*name), std::move(*value));
    }
    return true;
}

}  // namespace nightshift::api
