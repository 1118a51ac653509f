#include "api/idempotency.h"

#include <algorithm>

#include "api/digest.h"

namespace nightshift::api {
namespace {

constexpr std::size_t kKeyBytesMax = 255;

}  // namespace

Result<IdempotencyKey> idempotency_key(const Request& request, std::string scope) {
    const std::string* key = request.head.find("idempotency-key");
    if (key == nullptr) return IdempotencyKey{};
    const bool is_fine = !key->empty() && key->size() <= kKeyBytesMax &&
                         std::all_of(key->begin(), key->end(), [](char c) { return c > ' ' && c < 0x7f; });
    if (!is_fine) {
        return Error{ErrorCode::kInvalidArgument, "bad_idempotency_key",
                     "Idempotency-Key has to be 1 to 255 visible ASCII characters.", "Use a UUID or a name.",
                     ""};
    }
    return IdempotencyKey{std::move(scope), *key, sha256_hex(request.head.target + "\n" + request.body)};
}

Result<std::optional<Created>> find_created(db::Queries& queries, const IdempotencyKey& key) {
    if (key.key.empty()) return std::optional<Created>{};
    auto known = queries.idempotent(key.scope, key.key);
    if (!known) return known.error();
    if (!*known) return std::optional<Created>{};
    if ((*known)->request_hash != key.request_hash) return idempotency_mismatch();
    return std::optional<Created>(Created{std::move((*known)->jobs), true});
}

Error idempotency_mismatch() {
    return {ErrorCode::kInvalidArgument, "idempotency_mismatch",
            "This Idempotency-Key was used for another request.", "Use a new key for a new request.", ""};
}

void mark_replayed(Response& response, bool is_replayed) {
    if (is_replayed && response.status < 300) response.headers.emplace_back("Idempotency-Replayed", "true");
}

}  // namespace nightshift::api
