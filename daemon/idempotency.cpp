#include "daemon/idempotency.h"

#include "api/idempotency.h"
#include "scheduler/crash_point.h"

namespace nightshift::daemon {

Result<api::Created> create_once(db::Store& store, const api::IdempotencyKey& key, UnixMs now,
                                 const std::function<Result<std::vector<JobId>>()>& make) {
    if (key.key.empty()) {
        auto made = make();
        if (!made) return made.error();
        return api::Created{std::move(*made), false};
    }
    auto known = store.idempotent(key.scope, key.key);
    if (!known) return known.error();
    if (*known && (*known)->request_hash != key.request_hash) return api::idempotency_mismatch();
    if (*known) return api::Created{std::move((*known)->jobs), true};
    auto made = make();
    if (!made) return made.error();
    NIGHTSHIFT_TRY(store.remember_idempotent(key.scope, key.key, {key.request_hash, *made}, now + kKeyLife));
    crash_point("submit.key_stored");
    return api::Created{std::move(*made), false};
}

}  // namespace nightshift::daemon
