#pragma once

#include <optional>
#include <string>

#include "api/commands.h"
#include "api/http_types.h"

namespace nightshift::api {

/// The Idempotency-Key header of a request that creates; without one the key is empty. `scope` names
/// the route: the same key on two routes is two keys. Fails: invalid_argument "bad_idempotency_key".
Result<IdempotencyKey> idempotency_key(const Request& request, std::string scope);

/// What an earlier request with this key made, if there was one, seen before the request is checked:
/// what was right then is answered even if it would be refused now. Fails: "idempotency_mismatch".
Result<std::optional<Created>> find_created(db::Queries& queries, const IdempotencyKey& key);

/// The key was used with another body or address.
Error idempotency_mismatch();

/// Marks an answer that was given before.
void mark_replayed(Response& response, bool is_replayed);

}  // namespace nightshift::api
