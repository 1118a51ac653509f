#pragma once

#include <functional>
#include <vector>

#include "api/commands.h"
#include "db/store.h"

namespace nightshift::daemon {

/// How long an Idempotency-Key is remembered at least.
inline constexpr Millis kKeyLife = hours(24 * 7);

/// Runs `make` inside the open transaction and remembers under the key what it made; or, when the key is
/// known, runs nothing and gives what it made the first time. Without a key it always runs. Fails as
/// `make` does, or invalid_argument "idempotency_mismatch".
Result<api::Created> create_once(db::Store& store, const api::IdempotencyKey& key, UnixMs now,
                                 const std::function<Result<std::vector<JobId>>()>& make);

}  // namespace nightshift::daemon
