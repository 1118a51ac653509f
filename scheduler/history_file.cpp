#include "scheduler/history_file.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace nightshift {

namespace {

constexpr std::string_view kChain = ",\"chain\":\"";
constexpr std::size_t kHexDigits = 64;
/// What stands between an object's last member and the line's end: ,"chain":"<64>"}
constexpr std::size_t kTailBytes = kChain.size() + kHexDigits + 2;
constexpr std::size_t kDatabaseBytesMax = 64;

Error broken(std::string message) {
    return {ErrorCode::kInvalidArgument, "history_broken", std::move(message),
            "The file is not what a daemon wrote: export it again, or take another copy.", ""};
}

bool is_database_id(std::string_view text) {
    constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    return !text.empty() && text.size() <= kDatabaseBytesMax &&
           text.find_first_not_of(kLetters) == std::string_view::npos;
}

auto place_of(const HistoryLine& line) {
    return std::tie(line.type, line.text, line.number);
}

}  // namespace

std::string HistoryChain::close(std::string_view object) {
    std::string text = last_;
    text += object.substr(0, object.size() - 1);
    std::string line = text.substr(last_.size());
    last_ = sha256_(text);
    line += kChain;
    line += last_;
    line += "\"}\n";
    return line;
}

Result<std::string> HistoryChain::open(std::string_view line) {
    const bool has_chain = line.size() > kTailBytes && line.ends_with("\"}") &&
                           line.substr(line.size() - kTailBytes, kChain.size()) == kChain;
    if (!has_chain) return broken("does not end with its chain");
    std::string text = last_;
    text += line.substr(0, line.size() - kTailBytes);
    const std::string is = sha256_(text);
    if (is != line.substr(line.size() - kHexDigits - 2, kHexDigits)) {
        return broken("was changed, or one before it is missing");
    }
    text.erase(0, last_.size());
    last_ = is;
    return text + "}";
}

HistoryReader::HistoryReader(HexDigest sha256, Parse parse, Take take)
    : chain_(sha256), parse_(std::move(parse)), take_(std::move(take)) {}

Error HistoryReader::refusal(const std::string& why) const {
    return broken("Line " + std::to_string(facts_.lines) + " of the history " + why + ".");
}

Status HistoryReader::read(std::string_view bytes) {
    while (!bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        rest_ += bytes.substr(0, end);
        if (rest_.size() > kHistoryLineBytesMax) {
            ++facts_.lines;
            return refusal("is longer than any line that is written");
        }
        if (end == std::string_view::npos) return {};
        bytes.remove_prefix(end + 1);
        ++facts_.lines;
        NIGHTSHIFT_TRY(look_at(rest_));
        rest_.clear();
    }
    return {};
}

Status HistoryReader::look_at(const std::string& text) {
    if (is_over_) return refusal("stands behind the end");
    auto object = chain_.open(text);
    if (!object) return refusal(object.error().message);
    auto line = parse_(*object);
    if (!line) return refusal(line.error().message);
    NIGHTSHIFT_TRY(check_place(*line));
    facts_.chain = chain_.last();
    switch (line->type) {
        case HistoryLine::Type::kHeader:
            facts_.database = origin_ = line->database;
            break;
        case HistoryLine::Type::kOrigin:
            origin_ = line->database;
            ++facts_.origins;
            break;
        case HistoryLine::Type::kJob:
            ++facts_.jobs;
            break;
        case HistoryLine::Type::kFire:
            ++facts_.fires;
            break;
        case HistoryLine::Type::kUnreadable:
            ++facts_.unreadable;
            break;
        case HistoryLine::Type::kEnd:
            is_over_ = true;
            break;
    }
    const bool is_content = line->type == HistoryLine::Type::kJob || line->type == HistoryLine::Type::kFire ||
                            line->type == HistoryLine::Type::kUnreadable;
    if (is_content) take_(origin_, *line, std::move(*object));
    last_ = std::move(*line);
    return {};
}

Status HistoryReader::check_place(const HistoryLine& line) {
    using Type = HistoryLine::Type;
    if ((facts_.lines == 1) != (line.type == Type::kHeader)) {
        return refusal(facts_.lines == 1 ? "is no header" : "is a second header");
    }
    if (line.type == Type::kHeader && line.format > kHistoryFormat) {
        return Error{ErrorCode::kUnsupported, "history_newer",
                     "The history was written by a newer nightshift (format " + std::to_string(line.format) +
                         ", this one knows " + std::to_string(kHistoryFormat) + ").",
                     "Use that version, or a newer one.", ""};
    }
    if (line.type == Type::kHeader || line.type == Type::kOrigin) return check_origin(line);
    if (line.type == Type::kEnd) {
        const bool adds_up = std::tie(line.jobs, line.fires, line.unreadable) ==
                             std::tie(facts_.jobs, facts_.fires, facts_.unreadable);
        return adds_up ? Status() : refusal("tells other counts than there are lines");
    }
    const bool is_first = last_.type == Type::kHeader || last_.type == Type::kOrigin;
    if (!is_first && !(place_of(last_) < place_of(line))) return refusal("is out of order");
    return {};
}

Status HistoryReader::check_origin(const HistoryLine& line) {
    if (!is_database_id(line.database)) return refusal("names no database");
    if (line.type == HistoryLine::Type::kHeader) return {};
    const bool is_new = line.database != facts_.database && (facts_.origins == 0 || origin_ < line.database);
    return is_new ? Status() : refusal("names a database that was there before");
}

Status HistoryReader::finish() const {
    if (is_over_ && rest_.empty()) return {};
    return Error{ErrorCode::kInvalidArgument, "history_cut",
                 "The history ends after line " + std::to_string(facts_.lines) + " without its last line.",
                 "It was cut: export it again, or take another copy.", ""};
}

}  // namespace nightshift
