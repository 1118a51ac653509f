#include "api/history_import.h"

#include <nlohmann/json.hpp>

#include "api/answer.h"
#include "api/digest.h"
#include "api/history_codec.h"

namespace nightshift::api {
namespace {

const char* type_name(HistoryLine::Type type) {
    if (type == HistoryLine::Type::kJob) return "job";
    return type == HistoryLine::Type::kFire ? "fire" : "unreadable";
}

}  // namespace

HistoryImport::HistoryImport(Context& context, RequestPtr request)
    : context_(context),
      request_(std::move(request)),
      reader_(sha256_hex, parse_history_line,
              [this](const std::string& origin, const HistoryLine& line, std::string object) {
                  keep(origin, line, std::move(object));
              }) {}

void HistoryImport::keep(const std::string& origin, const HistoryLine& line, std::string object) {
    bytes_ += object.size();
    lines_.push_back(
        {origin, type_name(line.type), line.text, line.number, line.version, std::move(object), {}});
}

void HistoryImport::refuse(Error error) {
    error_ = std::move(error);
    lines_.clear();
    intake_.reset();
}

void HistoryImport::take(std::string_view bytes, std::function<void(bool)> more) {
    if (error_) return more(true);
    if (Status read = reader_.read(bytes); !read) {
        refuse(read.error());
        return more(true);
    }
    if (bytes_ < kPortionBytes && lines_.size() < kPortionLines) return more(true);
    store([more = std::move(more)] { more(true); });
}

void HistoryImport::store(std::function<void()> then) {
    if (error_) return then();
    if (!intake_) {
        context_.commands.begin_history(reader_.facts().database, request_->caller.actor,
                                        [self = shared_from_this(), then = std::move(then)](
                                            Result<std::shared_ptr<HistoryIntake>> begun) {
                                            if (begun) {
                                                self->intake_ = std::move(*begun);
                                            } else {
                                                self->refuse(begun.error());
                                            }
                                            self->store(then);
                                        });
        return;
    }
    bytes_ = 0;
    if (lines_.empty()) return then();
    intake_->add(std::exchange(lines_, {}),
                 [self = shared_from_this(), then = std::move(then)](const Status& stored) {
                     if (!stored) self->refuse(stored.error());
                     then();
                 });
}

void HistoryImport::finish(bool is_complete) {
    is_complete_ = is_complete;
    if (error_) return;
    if (!is_complete) {
        return refuse({ErrorCode::kInvalidArgument, "history_cut",
                       "The body ended in the middle of the history, or is larger than 256 MiB.",
                       "Send it again; export a longer history in parts, with --from and --to.", ""});
    }
    if (Status whole = reader_.finish(); !whole) refuse(whole.error());
}

void HistoryImport::answer(Respond respond) {
    store([self = shared_from_this(), respond = std::move(respond)] {
        const auto refused = [self, respond](const Error& error) {
            Response response = error_answer(*self->request_, error);
            response.close = !self->is_complete_;
            respond(std::move(response));
        };
        if (self->error_) return refused(*self->error_);
        self->intake_->finish(self->reader_.facts().chain,
                              [self, respond, refused](const Result<db::ImportCounts>& counts) {
                                  self->intake_.reset();
                                  if (!counts) return refused(counts.error());
                                  respond(self->summary(*counts));
                              });
    });
}

Response HistoryImport::summary(const db::ImportCounts& counts) const {
    const HistoryFacts& facts = reader_.facts();
    const bool is_changed = counts.added + counts.replaced > 0;
    nlohmann::ordered_json body;
    body["changed"] = is_changed;
    body["database"] = facts.database;
    body["chain"] = facts.chain;
    body["lines"] = facts.lines;
    body["jobs"] = facts.jobs;
    body["fires"] = facts.fires;
    body["unreadable"] = facts.unreadable;
    body["added"] = counts.added;
    body["replaced"] = counts.replaced;
    body["same"] = counts.same;
    body["older"] = counts.older;
    body["own"] = counts.own;
    return json_answer(body, is_changed ? 201 : 200);
}

}  // namespace nightshift::api
