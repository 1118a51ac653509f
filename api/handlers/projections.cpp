#include "api/field_reader.h"
#include "api/handlers/handlers.h"
#include "api/policy_codec.h"
#include "api/projection_codec.h"
#include "api/rfc3339.h"

#include <nlohmann/json.hpp>

namespace nightshift::api::handle {
namespace {

constexpr std::int64_t kFuturesMax = 1000;
constexpr int kFuturesUsual = 40;
constexpr Millis kUntilMax = hours(24 * 14);
constexpr std::size_t kCardsMax = 8;

/// An instant, or a clock time whose next occurrence is meant.
std::optional<UnixMs> time_ahead(const std::string& text, const Context& context) {
    if (const auto at = parse_time(text)) return at;
    return next_clock_time(text, context.commands.zones(), context.commands.now());
}

void read_beginning(const nlohmann::json* from, FieldReader& fields, ReplayRequest& replay) {
    if (from != nullptr && from->is_number_integer() && from->get<std::int64_t>() >= 0) {
        replay.from_plan = from->get<std::int64_t>();
        return;
    }
    if (from != nullptr && from->is_string()) replay.from_at = parse_time(from->get<std::string>());
    if (!replay.from_at) {
        fields.fail("from", "bad_from", "`from` says where the replay begins.",
                    "Give the number of a plan (`plan_seq` of an event or of `why`), or a time like "
                    "\"2026-11-20T22:00:00+09:00\".");
    }
}

void read_cards(const nlohmann::json* gpu, FieldReader& fields, ReplayRequest& replay) {
    if (gpu == nullptr) return;
    const nlohmann::json list = gpu->is_array() ? *gpu : nlohmann::json::array({*gpu});
    for (const nlohmann::json& card : list) {
        const auto size = card.is_string()
                              ? parse_bytes(card.get<std::string>())
                              : Result<Bytes>(Bytes{card.is_number_integer() ? card.get<std::int64_t>() : 0});
        if (!size || size->value <= 0 || replay.cards.size() >= kCardsMax) {
            return fields.fail("gpu", "bad_gpu", "`gpu` is the size of another card, or a list of at most 8.",
                               "Write \"24GiB\" or [\"8GiB\", \"12GiB\"].");
        }
        replay.cards.push_back(*size);
    }
}

}  // namespace

// ?until=07:00&futures=40: which of the queue's jobs will be done by then.
void night_contract(Context& context, const RequestPtr& request, Respond respond) {
    if (auto known = check_query(*request, {"until", "futures"}); !known)
        return respond(error_answer(*request, known.error()));
    const std::string* text = request->query_value("until");
    const auto until = time_ahead(text != nullptr ? *text : "", context);
    const UnixMs now = context.commands.now();
    if (!until || *until <= now || *until > now + kUntilMax) {
        return respond(error_answer(
            *request,
            Error{ErrorCode::kInvalidArgument, "bad_query", "`until` is a time within two weeks from now.",
                  "Write ?until=07:00 or ?until=2026-11-21T07:00:00Z.", "/until"}));
    }
    const auto futures = query_integer(*request, "futures", kFuturesUsual, 1, kFuturesMax);
    if (!futures) return respond(error_answer(*request, futures.error()));
    context.commands.night_contract(
        *until, static_cast<int>(*futures), [request, respond](const Result<ContractAnswer>& answer) {
            respond(answer ? json_answer(contract_object(*answer)) : error_answer(*request, answer.error()));
        });
}

// {"from": 812, "until": …, "policy": {…}, "gpu": "24GiB"}: the past under other rules.
void replay(Context& context, const RequestPtr& request, Respond respond) {
    const auto body = body_object(*request);
    if (!body) return respond(error_answer(*request, body.error()));
    std::vector<Error> errors;
    FieldReader fields(*body, "", errors);
    ReplayRequest replay;
    read_beginning(fields.take("from"), fields, replay);
    read_cards(fields.take("gpu"), fields, replay);
    if (const auto until = fields.text("until", 64)) {
        replay.until = parse_time(*until);
        if (!replay.until)
            fields.fail("until", "bad_time", "`until` is no time.", "Write \"2026-11-21T06:00:00+09:00\".");
    }
    if (const auto* policy = fields.take("policy")) {
        auto parsed = parse_policy(*policy, context.commands.zones());
        if (parsed) {
            replay.policy = std::move(*parsed);
        } else {
            Error error = parsed.error();
            error.pointer = "/policy" + error.pointer;
            errors.push_back(std::move(error));
        }
    }
    fields.finish();
    if (!errors.empty()) return respond(error_answer(*request, errors));
    context.commands.replay(std::move(replay), [request, respond](const Result<ReplayAnswer>& answer) {
        respond(answer ? json_answer(replay_object(*answer)) : error_answer(*request, answer.error()));
    });
}

}  // namespace nightshift::api::handle
