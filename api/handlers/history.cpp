#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "api/handlers/handlers.h"
#include "api/history_import.h"
#include "api/history_stream.h"
#include "api/rfc3339.h"

namespace nightshift::api::handle {
namespace {

using nlohmann::ordered_json;

constexpr int kImportsShown = 200;

Error bad_query(std::string message, std::string hint) {
    return {ErrorCode::kInvalidArgument, "bad_query", std::move(message), std::move(hint), ""};
}

Result<HistoryRange> range_of(const Request& request) {
    NIGHTSHIFT_TRY(check_query(request, {"from", "to", "imported", "origin"}));
    const auto from = query_integer(request, "from", 1, 1, INT64_MAX);
    if (!from) return from.error();
    // 0 = without an end.
    const auto to = query_integer(request, "to", 0, 0, INT64_MAX);
    if (!to) return to.error();
    HistoryRange range{JobId{*from}, JobId{*to}, "", query_flag(request, "imported")};
    if (const std::string* origin = request.query_value("origin")) range.origin = *origin;
    const bool is_part = *from != 1 || *to != 0;
    if (is_part && (range.includes_imported || !range.origin.empty())) {
        return bad_query("`from` and `to` count the jobs of this database, not imported ones.",
                         "Leave them out, or leave out `imported` and `origin`.");
    }
    if (range.includes_imported && !range.origin.empty())
        return bad_query("`origin` names one database, `imported` means all.", "Give one of them.");
    return range;
}

/// Where a page of imported jobs goes on: "ORIGIN:ID", below that id; "ORIGIN:" is its newest.
struct Cursor {
    std::string origin;
    std::int64_t before = INT64_MAX;
};

Result<Cursor> cursor_of(const Request& request) {
    Cursor cursor;
    const std::string* text = request.query_value("cursor");
    if (text == nullptr) return cursor;
    const std::size_t colon = text->rfind(':');
    if (colon != std::string::npos) {
        cursor.origin = text->substr(0, colon);
        const char* end = text->data() + text->size();
        const auto [at, error] = std::from_chars(text->data() + colon + 1, end, cursor.before);
        if (at == end && error == std::errc()) return cursor;
    }
    return Error{ErrorCode::kInvalidArgument, "bad_cursor", "`cursor` is not one that this daemon gave.",
                 "Take `next` of the last answer, or leave it out for the first page.", ""};
}

/// The job as it was exported, short of its long lists, with where it comes from.
ordered_json imported_object(const db::ImportedLine& line) {
    ordered_json job;
    job["origin"] = line.origin;
    job["imported_at"] = format_time(line.imported_at);
    auto object = ordered_json::parse(line.object, nullptr, false);
    if (object.is_object()) job.update(object);
    for (const char* name : {"type", "events", "attempts", "waits", "checkpoints", "artifacts"})
        job.erase(name);
    return job;
}

/// Origin after origin, in each the newest first.
Status fill_page(db::Queries& queries, const std::vector<std::string>& origins, Cursor cursor, int limit,
                 ordered_json& body) {
    for (const std::string& origin : origins) {
        if (origin < cursor.origin) continue;
        std::int64_t before = origin == cursor.origin ? cursor.before : INT64_MAX;
        for (;;) {
            const int room = limit - static_cast<int>(body["jobs"].size());
            if (room == 0) {
                body["next"] = origin + ":" + std::to_string(before);
                return {};
            }
            const auto found = queries.imported_jobs(origin, before, room);
            if (!found) return found.error();
            if (found->empty()) break;
            for (const db::ImportedLine& line : *found) body["jobs"].push_back(imported_object(line));
            before = found->back().number;
        }
    }
    return {};
}

}  // namespace

void history(Context& context, const RequestPtr& request, Respond respond) {
    auto range = range_of(*request);
    if (!range) return respond(error_answer(*request, range.error()));
    Result<std::string> database_id = range->origin;
    if (range->origin.empty()) {
        database_id = context.queries.database_id();
    } else {
        const auto origins = context.queries.imported_origins();
        if (!origins) return respond(error_answer(*request, origins.error()));
        if (std::find(origins->begin(), origins->end(), range->origin) == origins->end()) {
            return respond(error_answer(
                *request, Error{ErrorCode::kNotFound, "no_such_origin",
                                "Nothing was imported from a database " + range->origin.substr(0, 100) + ".",
                                "GET /api/v1/history/imports lists what was.", ""}));
        }
    }
    if (!database_id) return respond(error_answer(*request, database_id.error()));
    Response response;
    response.content_type = "application/x-ndjson";
    response.stream = std::make_shared<HistoryStream>(context, std::move(*database_id), std::move(*range));
    respond(std::move(response));
}

// The gate lets only NDJSON bodies through to here.
void import_history(Context& context, const RequestPtr& request, Respond respond) {
    if (auto known = check_query(*request, {}); !known) return respond(error_answer(*request, known.error()));
    if (!request->head.has_body()) {
        return respond(
            error_answer(*request, Error{ErrorCode::kInvalidArgument, "history_cut", "There is no history.",
                                         "Send the file: curl -T FILE -X POST …/api/v1/history.", ""}));
    }
    Response response;
    response.sink = std::make_shared<HistoryImport>(context, request);
    respond(std::move(response));
}

void list_imports(Context& context, const RequestPtr& request, Respond respond) {
    const auto imports = context.queries.imports(kImportsShown);
    if (!imports) return respond(error_answer(*request, imports.error()));
    ordered_json body;
    body["imports"] = ordered_json::array();
    for (const db::StoredImport& import : *imports) {
        ordered_json row;
        row["database"] = import.database;
        row["at"] = format_time(import.at);
        row["actor"] = import.actor;
        row["added"] = import.added;
        row["replaced"] = import.replaced;
        row["chain"] = import.chain;
        body["imports"].push_back(std::move(row));
    }
    respond(json_answer(body));
}

void list_imported(Context& context, const RequestPtr& request, Respond respond) {
    if (auto known = check_query(*request, {"origin", "limit", "cursor"}); !known)
        return respond(error_answer(*request, known.error()));
    const auto limit = query_integer(*request, "limit", 50, 1, 200);
    if (!limit) return respond(error_answer(*request, limit.error()));
    const auto cursor = cursor_of(*request);
    if (!cursor) return respond(error_answer(*request, cursor.error()));
    Result<std::vector<std::string>> origins = std::vector<std::string>{};
    if (const std::string* origin = request->query_value("origin")) {
        origins->push_back(*origin);
    } else {
        origins = context.queries.imported_origins();
    }
    if (!origins) return respond(error_answer(*request, origins.error()));
    ordered_json body;
    body["jobs"] = ordered_json::array();
    body["next"] = nullptr;
    if (Status filled = fill_page(context.queries, *origins, *cursor, static_cast<int>(*limit), body);
        !filled)
        return respond(error_answer(*request, filled.error()));
    respond(json_answer(body));
}

}  // namespace nightshift::api::handle
