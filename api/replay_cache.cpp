#include "api/replay_cache.h"

#include "api/digest.h"
#include "api/problem.h"

namespace nightshift::api {
namespace {

constexpr std::size_t kKeyBytesMax = 255;

Response refusal(const Request& request, int status, std::string code, std::string detail, std::string hint) {
    Problem problem;
    problem.status = status;
    problem.code = std::move(code);
    problem.detail = std::move(detail);
    problem.hint = std::move(hint);
    return to_response(problem, request.head.path, request.id);
}

}  // namespace

std::string ReplayCache::name_of(const Request& request, const Route& route) {
    const std::string_view pattern = route.pattern;
    const bool creates = route.method == Method::kPost &&
                         (pattern == "/api/v1/jobs/{id}/retry" || pattern == "/api/v1/schedules" ||
                          pattern == "/api/v1/schedules/{name}/run");
    const std::string* key = creates ? request.head.find("idempotency-key") : nullptr;
    if (key == nullptr || key->empty() || key->size() > kKeyBytesMax) return {};
    return request.caller.token_sha256 + " " + request.head.target + " " + *key;
}

std::optional<Response> ReplayCache::begin(const std::string& name, const Request& request) {
    const std::string hash = sha256_hex(request.body);
    const auto found = entries_.find(name);
    if (found == entries_.end()) {
        if (order_.size() == kReplaysMax) {
            entries_.erase(order_.front());
            order_.pop_front();
        }
        entries_[name] = Entry{hash, std::nullopt};
        order_.push_back(name);
        return std::nullopt;
    }
    if (found->second.body_hash != hash) {
        return refusal(request, 422, "idempotency_mismatch",
                       "The Idempotency-Key was used with another body.", "Use a new key for a new request.");
    }
    if (!found->second.answer) {
        return refusal(request, 409, "idempotency_in_progress",
                       "The first request with this key has not ended.", "Repeat the request in a second.");
    }
    Response again = *found->second.answer;
    again.headers.emplace_back("Idempotency-Replayed", "true");
    return again;
}

void ReplayCache::finish(const std::string& name, const Response& response) {
    const auto found = entries_.find(name);
    if (found == entries_.end()) return;
    if (response.status < 300 && response.body.size() <= kReplayBytesMax) {
        found->second.answer = response;
        return;
    }
    entries_.erase(found);
    std::erase(order_, name);
}

}  // namespace nightshift::api
