#include "daemon/cli/history_lines.h"

#include <nlohmann/json.hpp>

#include "daemon/cli/failure.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/proof.h"

namespace nightshift::cli {

namespace {

void throw_unless(const Status& status) {
    if (!status) throw Failure(kExitFailed, status.error().message, status.error().hint);
}

}  // namespace

Result<HistoryLine> history_line_of(const std::string& text) {
    using Type = HistoryLine::Type;
    const auto object = nlohmann::json::parse(text, nullptr, false);
    const auto unfit = [](const char* words) {
        return Error{ErrorCode::kInvalidArgument, "history_broken", words, "", ""};
    };
    if (!object.is_object()) return unfit("is no JSON object");
    const std::string type = text_at(object, "type");
    HistoryLine line;
    line.database = text_at(object, "database");
    if (type == "nightshift-history") {
        line.type = Type::kHeader;
        line.format = number_at(object, "format");
    } else if (type == "origin") {
        line.type = Type::kOrigin;
    } else if (type == "job") {
        line.number = number_at(object, "id");
    } else if (type == "fire") {
        line.type = Type::kFire;
        line.text = text_at(object, "schedule") + '\x01' + text_at(object, "nominal");
    } else if (type == "unreadable") {
        line.type = Type::kUnreadable;
        line.text = text_at(object, "what");
        line.number = number_at(object, "from");
    } else if (type == "end") {
        line.type = Type::kEnd;
        line.jobs = number_at(object, "jobs");
        line.fires = number_at(object, "fires");
        line.unreadable = number_at(object, "unreadable");
    } else {
        return unfit("is of no known type");
    }
    return line;
}

HistoryCheck::HistoryCheck()
    : reader_(sha256_of, history_line_of, [](const std::string&, const HistoryLine&, std::string) {}) {}

void HistoryCheck::take(std::string_view bytes) {
    throw_unless(reader_.read(bytes));
}

HistoryFacts HistoryCheck::finish() const {
    throw_unless(reader_.finish());
    return reader_.facts();
}

}  // namespace nightshift::cli
